/** The suite of S3 against moto; `npm run test:peers` starts it and says where it is. */
import { describeS3 } from '../contract/suites/s3-suite.ts';

const endpoint = process.env['TANDEM_PEER_S3_MOTO'];
if (endpoint === undefined) throw new Error('TANDEM_PEER_S3_MOTO is not set; run npm run test:peers');

describeS3('moto', {
  endpointOf: () => endpoint,
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  differences: {
    'have names that DNS allows': 'it takes names that are reserved',
    'take lifecycle rules that are well formed': 'it keeps most rules as they come',
    'are read under conditions': 'it looks at If-Unmodified-Since although If-Match holds',
    'are copied, with their own attributes or new ones':
      'it copies an object that is not as the condition says',
    'of every algorithm are computed, kept and given back': 'it has no types of checksums',
    'that are wrong are refused, and nothing is kept': 'it checks no checksums',
    'that a client does not send are computed by S3': 'it computes none',
    'become one object, with a checksum of the checksums of its parts': 'a completion has no checksum',
    'have a checksum of the whole where the algorithm can': 'it compares no checksum',
    'want parts of 5 MB, in order, by their ETags': 'it takes small parts before others',
    'are refused a part with a checksum of another algorithm': 'it takes any',
    'are completed once, however often that is sent, or aborted':
      'a part of an upload that was completed is its own error 500',
    'can be read part by part': 'it gives the whole object',
    'come in pages, in the order of UTF-8, without a gap or a repeat':
      'a continuation token that it never gave is its own error 500',
    'are kept, read by their id, and deleted one by one':
      'a delete marker is read as a version that is not there, 404',
    'that were there before versioning, or while it is suspended, are the null version':
      'it loses a version when versioning is suspended',
    'of retention keep a version from deletion, those of governance unless they are bypassed':
      'a retention in compliance mode can be shortened',
    'are of buckets that have them, which are versioned for ever':
      'versioning of a locked bucket can be suspended',
    'of another secret, or of nobody, are refused': 'it checks no signatures',
    'in an address let anybody write and read, just that, until they expire': 'it checks no signatures',
  },
});
