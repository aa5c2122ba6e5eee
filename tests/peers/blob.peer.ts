/**
 * The suite of Blob Storage against azurite; `npm run test:peers` starts it and says where it is. What azurite 3.37 does
 * not have at all (versions, policies, events, tokens without TLS) is not in the suite.
 */
import { describeBlob } from '../contract/suites/blob-suite.ts';

const endpoint = process.env['TANDEM_PEER_BLOB'];
if (endpoint === undefined) throw new Error('TANDEM_PEER_BLOB is not set; run npm run test:peers');

/** Published: https://learn.microsoft.com/azure/storage/common/storage-use-azurite#well-known-storage-account-and-key */
const ACCOUNT = {
  url: `${endpoint}/devstoreaccount1`,
  account: 'devstoreaccount1',
  key: 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==',
};

describeBlob('azurite', () => ACCOUNT, {
  checksNoCrc64: true,
  hasNoStructuredBodies: true,
  hasNoCrc64OfRanges: true,
  overwritesWithCreate: true,
  readsBeyondTheEnd: true,
  namesRefusalsOtherwise: true,
  hasNoPutFromUrl: true,
});
