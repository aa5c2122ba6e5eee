/**
 * The versions of the service that a request may name in `x-ms-version`, and a signature in `sv`.
 * @see https://learn.microsoft.com/rest/api/storageservices/versioning-for-the-azure-storage-services
 */

/** Since the first one that takes tokens (`VERSION_OF_TOKENS`); the newest is what @azure/storage-blob 12.34 sends. */
const VERSIONS: ReadonlySet<string> = new Set(
  (
    '2017-11-09 2018-03-28 2018-11-09 2019-02-02 2019-07-07 2019-10-10 2019-12-12 2020-02-10 2020-04-08 2020-06-12 ' +
    '2020-08-04 2020-10-02 2020-12-06 2021-02-12 2021-04-10 2021-06-08 2021-08-06 2021-10-04 2021-12-02 2022-11-02 ' +
    '2023-01-03 2023-05-03 2023-08-03 2023-11-03 2024-02-04 2024-05-04 2024-08-04 2024-11-04 2025-01-05 2025-05-05 ' +
    '2025-07-05 2025-11-05 2026-02-06 2026-04-06 2026-06-06 2026-10-06'
  ).split(' '),
);

export const isVersion = (text: string): boolean => VERSIONS.has(text);

/** The version of a request that names none and is not signed either. */
export const DEFAULT_VERSION = '2026-10-06';
