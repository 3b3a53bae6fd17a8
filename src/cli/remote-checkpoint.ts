/** The checkpoint of a server on another machine, by the protocol of its replicas. */

import { rm } from 'node:fs/promises'
import { SILENT_LOG } from '../log/log.js'
import { BackupError } from '../replication/backup-directory.js'
import { FullSync, LIST_MS_MAX } from '../replication/full-sync.js'
import { MasterSocket } from '../replication/master-socket.js'
import { type ProgressLine, sizeText } from './progress.js'

const PORT_DEFAULT = 6666
const CONNECT_MS_MAX = 5000
const SILENCE_MS_MAX = 60_000
const SHOWN_EVERY_MS = 200

/** Fetches the files into `directory`; what an interrupted run has brought stays. Rejects with LinkError, BackupError. */
export async function fetchCheckpoint(url: string, directory: string, progress: ProgressLine): Promise<void> {
  const sync = new FullSync({
    directory,
    sendsBackups: false,
    source: url,
    log: SILENT_LOG,
    connect: () => connect(new URL(url)),
    listTimeoutMs: LIST_MS_MAX,
    receiveTimeoutMs: SILENCE_MS_MAX,
    fileDelayMs: 0,
  })
  const shown = setInterval(() => {
    const { files, total } = sync.progress
    progress.show(() => `fetching: ${files} of ${total} files, ${sizeText(sync.bytes)}`, files / (total || 1))
  }, SHOWN_EVERY_MS)
  try {
    await sync.fetch(await sync.list())
  } finally {
    clearInterval(shown)
  }
  await rm(`${directory}.source`, { force: true })
}

async function connect({ protocol, hostname, port, password }: URL): Promise<MasterSocket> {
  const socket = await MasterSocket.connect({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? PORT_DEFAULT : Number(port),
    tls: protocol === 'rediss:' ? {} : undefined,
    connectTimeoutMs: CONNECT_MS_MAX,
  })
  if (password === '') return socket
  socket.send('AUTH', decodeURIComponent(password))
  const line = await socket.line()
  if (line === '+OK') return socket
  socket.close()
  throw new BackupError(`the server refuses AUTH: ${line}`)
}
