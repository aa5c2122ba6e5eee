/**
 * Faults of the stack on this machine, for the page: `GET /api/faults`, `POST /api/faults` with an order, `DELETE
 * /api/faults/<id>`, `DELETE /api/faults` for all. What they are is in `packages/local/src/faults`.
 */
import { bodyText } from '@tandem-clouds/emulators/core/request-body';
import {
  FaultError,
  type FaultErrorCode,
  type FaultOrder,
  type LocalFaults,
} from '@tandem-clouds/local/faults/fault-order';
import { type ApiRoute, ok } from './api.ts';
import { ConsoleError } from './reply.ts';

const ORDER_BYTES_MAX = 4_096;
const STATUS: Readonly<Record<FaultErrorCode, number>> = {
  invalid: 400,
  already_on: 409,
  not_on: 404,
  unavailable: 503,
};

/** @param changed Called when one was imposed or lifted. */
export function faultsRoute(faults: LocalFaults, changed: () => Promise<unknown>): ApiRoute {
  return async (request, response, { path }) => {
    try {
      switch (request.method) {
        case 'GET':
          return ok(response, await faults.list());
        case 'POST': {
          // Read by whoever imposes it.
          const order = JSON.parse(await bodyText(request, ORDER_BYTES_MAX)) as FaultOrder;
          const imposed = await faults.impose(order);
          await changed();
          return ok(response, imposed);
        }
        case 'DELETE':
          await (path === '' ? faults.liftAll() : faults.lift(decodeURIComponent(path)));
          await changed();
          return ok(response, {});
        case undefined:
        default:
          throw new ConsoleError(405, 'GET, POST or DELETE is needed');
      }
    } catch (error) {
      if (error instanceof FaultError)
        throw new ConsoleError(STATUS[error.code], error.message, { cause: error });
      throw error;
    }
  };
}
