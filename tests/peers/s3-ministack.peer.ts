/** The suite of S3 against ministack; `npm run test:peers` starts it and says where it is. */
import { describeS3 } from '../contract/suites/s3-suite.ts';

const endpoint = process.env['TANDEM_PEER_S3_MINISTACK'];
if (endpoint === undefined) throw new Error('TANDEM_PEER_S3_MINISTACK is not set; run npm run test:peers');

describeS3('ministack', {
  endpointOf: () => endpoint,
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  differences: {
    'have names that DNS allows': 'it takes names that are reserved',
    'take lifecycle rules that are well formed': 'it keeps rules as they come',
    'are copied, with their own attributes or new ones': 'it copies an object to itself without a change',
    'of every algorithm are computed, kept and given back':
      'an upload is not answered with the checksum that was computed',
    'that a client does not send are computed by S3': 'it computes none',
    'have a checksum of the whole where the algorithm can':
      'an upload is not answered with the checksum that was computed',
    'want parts of 5 MB, in order, by their ETags': 'it takes small parts and any number',
    'are refused a part with a checksum of another algorithm': 'it takes any',
    'come in pages, in the order of UTF-8, without a gap or a repeat':
      'it takes a continuation token that it never gave',
    'are of buckets that have them, which are versioned for ever':
      'versioning of a locked bucket can be suspended',
    'of another secret, or of nobody, are refused': 'it checks signatures of addresses alone',
  },
});
