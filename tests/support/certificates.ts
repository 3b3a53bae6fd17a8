/** Certificates for tests of TLS, made by openssl. */

import { execFileSync } from 'node:child_process'

/** A certificate authority, `ca.crt`, and a certificate that it signed for both sides, `own.crt` with `own.key`. */
export function makeCertificates(dir: string): void {
  const openssl = (...words: string[]): void => {
    execFileSync('openssl', words, { cwd: dir, stdio: 'ignore' })
  }
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=authority', '-days', '1')
  openssl('req', ...key, '-keyout', 'own.key', '-out', 'own.csr', '-subj', '/CN=localhost')
  openssl('x509', '-req', '-in', 'own.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-out', 'own.crt', '-days', '1')
}
