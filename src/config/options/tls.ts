/** Options of encrypted connections. Source: kvrocks src/config/config.cc. */
import { bool, integer, text } from '../option.js'

export const TLS_OPTIONS = {
  'tls-port': integer({ default: 0, max: 65535, doc: 'TCP port for TLS; 0 = off.' }),
  'tls-cert-file': text({ default: '', mutable: true, doc: 'Certificate of the server, PEM.' }),
  'tls-key-file': text({ default: '', mutable: true, doc: 'Private key of the server, PEM.' }),
  'tls-key-file-pass': text({ default: '', mutable: true, doc: 'Passphrase of the private key.' }),
  'tls-ca-cert-file': text({ default: '', mutable: true, doc: 'File of certificates that vouch for the other side.' }),
  'tls-ca-cert-dir': text({ default: '', mutable: true, doc: 'Directory of such certificates.' }),
  'tls-auth-clients': text({
    default: '',
    mutable: true,
    doc: 'Whether clients show a certificate: no, optional, or anything else for always.',
  }),
  'tls-protocols': text({
    default: '',
    mutable: true,
    doc: 'Versions of TLS that are spoken, separated by spaces; empty = TLSv1.2 TLSv1.3.',
  }),
  'tls-ciphers': text({ default: '', mutable: true, doc: 'Ciphers up to TLS 1.2, in the notation of OpenSSL.' }),
  'tls-ciphersuites': text({ default: '', mutable: true, doc: 'Cipher suites of TLS 1.3.' }),
  'tls-prefer-server-ciphers': bool({
    default: false,
    mutable: true,
    doc: "Whether the server's order of ciphers wins over the client's.",
  }),
  'tls-session-caching': bool({ default: true, mutable: true, doc: 'Whether clients may resume a session.' }),
  'tls-session-cache-size': integer({ default: 20_480, mutable: true, doc: 'Sessions in the cache; 0 = no limit.' }),
  'tls-session-cache-timeout': integer({
    default: 300,
    mutable: true,
    unit: 's',
    doc: 'Time for which a session may be resumed.',
  }),
  'tls-replication': bool({ default: false, doc: 'Whether a replica speaks TLS with its master.' }),
}
