/** A certificate that nobody has reason to trust, and its key: for servers of tests. */
export const selfSigned = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgOxsLvSxtt8s6fUn1
fDenMNN3JT5edVA8u+/uRb28CZmhRANCAATWgpwqt0jOOQCnmGo3kfj65gmExz/q
Ud+coravycuWG4dZ2ZpxoUQgdfy1YKNDrqhq2earjgJC9VdUXc8H8QGS
-----END PRIVATE KEY-----`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUD78bjpZPjAnHq1bib2OBjRP1KuwwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNDE4NTMyMFoYDzIxMjYxMDMx
MTg1MzIwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATWgpwqt0jOOQCnmGo3kfj65gmExz/qUd+coravycuWG4dZ2ZpxoUQg
dfy1YKNDrqhq2earjgJC9VdUXc8H8QGSo28wbTAdBgNVHQ4EFgQU2NeHmhpSFMFp
/W0nFyvnuUVowhgwHwYDVR0jBBgwFoAU2NeHmhpSFMFp/W0nFyvnuUVowhgwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgTpaLhKbR2ao+Zm2nn3FNEPppWBhgb10Sx0ahWjekLT8CIQDk
yMHSjV8wMyxiNCipNSEpVYMW+M9keQmceXqrx6fbPg==
-----END CERTIFICATE-----`,
}
