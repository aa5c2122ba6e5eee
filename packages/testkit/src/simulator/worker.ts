/**
 * A thread that runs seeds, with the protocol as it is or as one mutant: the mutation is applied to the text of the
 * module when it is loaded, so nothing in the product knows of mutants.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { erasureMutants } from './erasure/mutants.ts';
import { mutants } from './mutants.ts';
import { loadMutated } from './mutated-source.ts';
import { objectMutants } from './objects/mutants.ts';
import { placesMutants } from './places/mutants.ts';
import { reactionMutants } from './reactions/mutants.ts';
import type { SeedsRequest } from './seeds.ts';
import { shopMutants } from './shop/mutants.ts';
import { uniqueMutants } from './unique/mutants.ts';
import { writerMutants } from './writer/mutants.ts';

const { mutant: name } = workerData as { mutant?: string };
if (name !== undefined) {
  const all = [
    ...mutants,
    ...shopMutants,
    ...uniqueMutants,
    ...reactionMutants,
    ...placesMutants,
    ...writerMutants,
    ...objectMutants,
    ...erasureMutants,
  ];
  const mutant = all.find((candidate) => candidate.name === name);
  if (mutant === undefined) throw new RangeError(`no mutant ${name}`);
  loadMutated(mutant);
}
// Errors are answers here, by the thousand: without their stacks they cost nothing.
Error.stackTraceLimit = 0;
// Loaded only now: everything before must not have loaded the protocol yet.
const { runSeeds } = await import('./seeds.ts');

parentPort?.on('message', (request: SeedsRequest) => parentPort?.postMessage(runSeeds(request)));
