/** What stands in the place of a secret. */
const HIDDEN = '***';
/** A shorter value is no key or token of AWS's, and may well be part of a word. */
const MIN_SECRET_CHARS = 16;

/** Secrets by their form, each with what is left of it. Repetitions have a bound where a long text without a match would take the square of its length. */
const FORMS: readonly (readonly [RegExp, string])[] = [
  // User and password in a URL, also where a password has characters that it must not have in one.
  [/([a-z][a-z0-9+.-]{0,31}:\/\/)[^\s'"]{0,511}@/gi, `$1${HIDDEN}@`],
  // The same without a scheme. An ARN may end with the mail address of who took a role, and is needed to see whose permissions lack.
  [/(^|[\s'"(=])(?!arn:)[^\s'"/@:]{1,255}:(?!\/\/)[^\s'"]{0,511}@/g, `$1${HIDDEN}@`],
  // What AWS tells back of a request whose signature is wrong: its Authorization header, its canonical form with all signed headers.
  [/(AWS4-HMAC-SHA256)\s+Credential=.*?(?:Signature=[0-9a-f]*|(?=['"\n]|$))/gis, `$1 ${HIDDEN}`],
  [/(\bauthorization['"]?\s*[:=]\s*['"]?(?:basic|bearer)\s+)[^\s'",]+/gi, `$1${HIDDEN}`],
  // Pasted in the place of a path or of a name, which messages repeat. What is cut off is a private key to its end.
  [/-----BEGIN [A-Z0-9 ]{0,64}PRIVATE KEY-----(?:[\s\S]*?-----END [A-Z0-9 ]{0,64}PRIVATE KEY-----|[\s\S]*)/g, HIDDEN],
  // bcrypt.
  [/\$2[a-z]?\$\d\d?\$[./A-Za-z0-9]{20,}/g, HIDDEN],
  [/(\bx-amz-security-token['"]?\s*[:=]\s*['"]?)[^\s'",&]+/gi, `$1${HIDDEN}`],
];

/**
 * A text without the secrets that may have come into it with somebody else's words, such as an error message of AWS's.
 *
 * @param known secrets that are told by their value, whatever surrounds them
 */
export function withoutSecrets(text: string, known: readonly string[] = []): string {
  const byValue = known
    .filter(({ length }) => length >= MIN_SECRET_CHARS)
    .reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), text);
  return FORMS.reduce((rest, [form, left]) => rest.replace(form, left), byValue);
}
