/** Which of the two languages is spoken. */
export const LANGUAGES = ['en', 'de'] as const;
export type Language = (typeof LANGUAGES)[number];

/**
 * What the customer chose here before; otherwise the first of the browser's languages that the shop speaks; otherwise English.
 * @param preferred As the browser lists them: `de-AT`.
 */
export function chooseLanguage(chosen: string | undefined, preferred: readonly string[]): Language {
  const candidates = [chosen ?? '', ...preferred].map((tag) => tag.toLowerCase().split('-')[0]);
  return candidates.map((tag) => LANGUAGES.find((language) => language === tag)).find(Boolean) ?? 'en';
}
