/** What went wrong, and what to do about it. */
export type Refusal = { readonly detail: string; readonly hint: string }

/** An answer that is no list of pods. */
export const explainStatus = (status: number, url: string): Refusal => {
  const detail = `HTTP ${status}`
  if (status === 401)
    return {
      detail,
      hint: 'the token is not taken: see kubernetes.token_file, and whether it is of this cluster',
    }
  if (status === 403)
    return {
      detail,
      hint: isKubelet(url)
        ? 'the service account needs a ClusterRole that may get nodes/pods (before Kubernetes 1.33 nodes/proxy, which may run commands in every container: better ask the API)'
        : 'the service account needs a ClusterRole that may list pods',
    }
  if (status >= 300 && status < 400)
    return { detail, hint: 'redirects are not followed: give the final address in kubernetes.pods_url' }
  if (status === 404)
    return {
      detail,
      hint: 'kubernetes.pods_url needs the whole path: …/api/v1/pods?fieldSelector=spec.nodeName%3D{node}, or https://127.0.0.1:10250/pods',
    }
  return { detail, hint: 'it is asked again within the minute' }
}

/** No answer at all. */
export const explainRequestError = (
  { code, message }: NodeJS.ErrnoException,
  { caFile }: { readonly caFile: string },
  hasCa: boolean,
): Refusal => {
  const detail = code === undefined ? message : `${code}: ${message}`
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return { detail, hint: 'kubernetes.pods_url has to use a name that the certificate is for' }
  if (code !== undefined && /CERT|SELF_SIGNED|VERIFY|ISSUER/.test(code))
    return {
      detail,
      hint: hasCa
        ? `its certificate is not of the CA in ${caFile}: see kubernetes.ca_file (a kubelet may have signed its own)`
        : `${caFile} is not there, and the system does not trust its certificate: see kubernetes.ca_file`,
    }
  return { detail, hint: 'see kubernetes.pods_url, and whether it can be reached from here' }
}

const isKubelet = (url: string): boolean => new URL(url).pathname.replace(/\/$/, '') === '/pods'
