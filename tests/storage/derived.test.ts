import { test } from 'tap'
import { Derived } from '../../src/storage/derived.js'
import { add, count } from '../../src/types/hyperloglog.js'
import { startServer } from '../support/server.js'

const [A, B, OTHER] = ['keyversion\x01', 'otherversio\x01', 'keyversion\x02'].map((text) => Buffer.from(text, 'latin1'))

test('what was derived is known until a row of its collection is written', async (t) => {
  const derived = new Derived()
  const known = (): (number | undefined)[] => [A, B, OTHER].map((prefix) => derived.get(prefix as Buffer))
  t.same(known(), [undefined, undefined, undefined])
  derived.note(A as Buffer, 1)
  derived.note(B as Buffer, 2)
  t.same(known(), [1, 2, undefined])
  derived.note(A as Buffer, 3)
  derived.written(OTHER as Buffer)
  t.same(known(), [3, 2, undefined])
  derived.written(A as Buffer)
  derived.written(A as Buffer)
  t.same(known(), [undefined, 2, undefined])
  derived.forget()
  t.same(known(), [undefined, undefined, undefined])
})

test('what was derived of the oldest collection makes room', async (t) => {
  const derived = new Derived()
  const prefix = (index: number): Buffer => Buffer.from([index >> 8, index & 0xff])
  for (let index = 0; index < 1030; index++) derived.note(prefix(index), index)
  t.same([derived.get(prefix(5)), derived.get(prefix(6)), derived.get(prefix(1029))], [undefined, 6, 1029])
})

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']

test('PFCOUNT counts what was added since, by whatever way', async (t) => {
  await using s = await startServer()
  const counted = (): Promise<string> => s.run('pfcount', 'log')
  await s.run('pfadd', 'log', ...KEYS)
  t.same([await counted(), await counted()], [':8\r\n', ':8\r\n'])
  await s.run('pfadd', 'log', 'a', 'new')
  t.equal(await counted(), ':9\r\n')
  await s.run('pfadd', 'source', 'x', 'y')
  await s.run('pfmerge', 'log', 'source')
  t.equal(await counted(), ':11\r\n')
  // The version stays with the rows.
  await s.run('rename', 'log', 'away')
  await s.run('pfadd', 'away', 'z')
  await s.run('rename', 'away', 'log')
  t.equal(await counted(), ':12\r\n')
  await s.run('del', 'log')
  t.equal(await counted(), ':0\r\n')
  await s.run('pfadd', 'log', 'a')
  t.equal(await counted(), ':1\r\n')
})

test('PFCOUNT forgets what was taken back, and what another server writes', async (t) => {
  await using s = await startServer()
  const { turn } = s.server.store
  await s.run('pfadd', 'log', 'a')
  const afterFirst = s.server.store.latestSequence()
  await s.run('pfadd', 'log', ...KEYS)
  s.server.store.commit()
  const savepoint = turn.savepoint()
  const [db, log] = [s.server.defaultDatabase, Buffer.from('log')]
  t.equal(count(db, [log]), 8)
  add(db, log, [Buffer.from('x')])
  t.equal(count(db, [log]), 9)
  turn.rollback(savepoint)
  t.equal(count(db, [log]), 8)
  add(db, log, [Buffer.from('x')])
  t.equal(count(db, [log]), 9)
  turn.discard()
  t.equal(count(db, [log]), 8)
  // The first batch once more: the segment that it wrote has one element again, and perhaps some of the others lose theirs.
  using updates = s.server.store.rocks.updatesSince(1)
  const [first] = updates.next(1)
  t.ok(first !== undefined && afterFirst > 0)
  turn.writeForeign(first?.data as Buffer)
  const after = count(db, [log])
  t.ok(after >= 1 && after < 9)
  t.equal(after, count(db, [log, Buffer.from('none')]))
})
