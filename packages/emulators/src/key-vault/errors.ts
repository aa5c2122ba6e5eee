/**
 * What Key Vault answers when it refuses: a code, a sentence, and for some an inner code that says more.
 * @see https://learn.microsoft.com/azure/key-vault/general/rest-error-codes
 */
export class KeyVaultError extends Error {
  override readonly name = 'KeyVaultError';
  readonly status: number;
  readonly code: string;
  readonly inner: string | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message: string,
    more: { readonly inner?: string; readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.inner = more.inner;
    this.headers = more.headers ?? {};
  }

  get body(): unknown {
    const { code, message, inner } = this;
    return { error: { code, message, ...(inner !== undefined && { innererror: { code: inner } }) } };
  }
}

export function badParameter(message: string): KeyVaultError {
  return new KeyVaultError(400, 'BadParameter', message);
}

/** @see https://github.com/Azure/azure-sdk-for-rust/blob/main/sdk/keyvault/azure_security_keyvault_secrets/README.md */
export function secretNotFound(name: string): KeyVaultError {
  return new KeyVaultError(
    404,
    'SecretNotFound',
    `A secret with (name/id) ${name} was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182`,
  );
}

export function injectedError(code = 'Throttled'): KeyVaultError {
  const status = STATUS_OF[code] ?? 500;
  const headers = status === 429 ? { 'retry-after': '1' } : {};
  return new KeyVaultError(status, code, `${code}, injected by a fault rule`, { headers });
}

const STATUS_OF: Readonly<Record<string, number>> = {
  Throttled: 429,
  Forbidden: 403,
  InternalServerError: 500,
  ServiceUnavailable: 503,
};
