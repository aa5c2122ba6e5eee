/** What answers each operation. */
import { deleteBlob, deleteImmutabilityPolicy, setImmutabilityPolicy, setLegalHold } from './change.ts';
import { setMetadata, setProperties, setTags, setTier, undelete } from './change.ts';
import { deleteContainer, getContainer, listContainers, setContainerMetadata } from './containers.ts';
import { copyBlob, putBlobFromUrl, putBlockFromUrl } from './copy.ts';
import { leaseBlob } from './lease.ts';
import { listBlobs } from './list-blobs.ts';
import type { Operation } from './operations.ts';
import { getBlockList, putBlob, putBlock, putBlockList } from './put.ts';
import { getBlob, getMetadata, getProperties, getTags } from './read.ts';
import { getAccountInformation, getService, getUserDelegationKey, setService } from './service.ts';
import type { Route } from './work.ts';

/** Creating a container depends on how the account was made (`server.ts`). */
export const ROUTES: Readonly<Record<Exclude<Operation, 'CreateContainer'>, Route>> = {
  GetBlobServiceProperties: getService,
  SetBlobServiceProperties: setService,
  GetUserDelegationKey: getUserDelegationKey,
  GetAccountInformation: getAccountInformation,
  ListContainers: listContainers,
  GetContainerProperties: getContainer,
  SetContainerMetadata: setContainerMetadata,
  DeleteContainer: deleteContainer,
  ListBlobs: listBlobs,
  PutBlob: putBlob,
  PutBlobFromURL: putBlobFromUrl,
  CopyBlob: copyBlob,
  CopyBlobFromURL: copyBlob,
  PutBlock: putBlock,
  PutBlockFromURL: putBlockFromUrl,
  PutBlockList: putBlockList,
  GetBlockList: getBlockList,
  GetBlob: getBlob,
  GetBlobProperties: getProperties,
  GetBlobMetadata: getMetadata,
  GetBlobTags: getTags,
  SetBlobTags: setTags,
  SetBlobMetadata: setMetadata,
  SetBlobProperties: setProperties,
  SetBlobTier: setTier,
  SetImmutabilityPolicy: setImmutabilityPolicy,
  DeleteImmutabilityPolicy: deleteImmutabilityPolicy,
  SetLegalHold: setLegalHold,
  LeaseBlob: leaseBlob,
  UndeleteBlob: undelete,
  DeleteBlob: deleteBlob,
};
