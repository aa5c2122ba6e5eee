/** The suite of S3 against moto; `npm run test:peers` starts it and says where it is. */
import { describeS3 } from '../contract/suites/s3-suite.ts';

const endpoint = process.env['TANDEM_PEER_S3_MOTO'];
if (endpoint === undefined) throw new Error('TANDEM_PEER_S3_MOTO is not set; run npm run test:peers');

describeS3('moto', {
  endpointOf: () => endpoint,
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  differences: {},
});
