import { expect, test } from '@jest/globals';
import { keysOfEvent } from '../../src/shared/objects/storage-event.ts';

const s3 = (...keys: string[]) => ({
  Records: keys.map((key) => ({
    eventSource: 'aws:s3',
    eventName: 'ObjectRemoved:Delete',
    s3: { bucket: { name: 'b' }, object: { key, sequencer: '1' } },
  })),
});
const blob = (name: string) => ({
  eventType: 'Microsoft.Storage.BlobDeleted',
  subject: `/blobServices/default/containers/objects/blobs/${name}`,
  data: { api: 'DeleteBlob' },
});

test.each([
  [
    'of S3',
    s3('content/object/a/u1', 'content/object/b%2Bc/u2', 'content/object/a/u3'),
    ['object:a', 'object:b+c'],
  ],
  ['of S3, of what is no upload', s3('other/x'), []],
  [
    'of S3, of what has come',
    { Records: [{ ...s3('content/object/a/u').Records[0], eventName: 'ObjectCreated:Put' }] },
    [],
  ],
  [
    'of Event Grid, of what has come',
    { ...blob('content/object/a/u'), eventType: 'Microsoft.Storage.BlobCreated' },
    [],
  ],
  ['of S3, about nothing', { Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'b' }, []],
  ['of Event Grid', blob('content/object/a/u1'), ['object:a']],
  [
    'of Event Grid, of several',
    [blob('content/object/a/u1'), blob('x'), blob('content/photo/b/u')],
    ['object:a', 'photo:b'],
  ],
])('a report %s names the records of its uploads', (_, report, keys) => {
  expect(keysOfEvent(JSON.stringify(report))).toEqual(keys);
});

test.each([
  ['what is no JSON', '{'],
  ['a list of nothing known', '[{}]'],
  ['a text', '"content/object/a/u"'],
  ['records of another service', JSON.stringify({ Records: [{ eventSource: 'aws:sns', Sns: {} }] })],
  ['no records', '{"Records":[]}'],
  ['a key that cannot be decoded', JSON.stringify(s3('%E0%A4%A'))],
  [
    'an event of another kind',
    JSON.stringify({ eventType: 'Microsoft.Resources.ResourceWriteSuccess', subject: '/x' }),
  ],
])('%s is no report', (_, body) => {
  expect(keysOfEvent(body)).toBeUndefined();
});
