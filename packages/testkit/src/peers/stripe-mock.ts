/**
 * Stripe's own mock, which knows the shape of every request and answer, and keeps nothing: it says whether what we send is
 * what Stripe takes. https://github.com/stripe/stripe-mock
 */
import { spawn } from 'node:child_process';
import { goProgram } from './go.ts';
import type { Server } from './peer.ts';

const STRIPE_MOCK = { main: 'github.com/stripe/stripe-mock', version: 'v0.203.0' };

export const stripeMock: Server = {
  name: 'stripe-mock (shapes)',
  suite: 'stripe.peer.ts',
  variable: 'TANDEM_PEER_STRIPE_MOCK',

  prepare() {
    goProgram('stripe-mock', STRIPE_MOCK);
  },

  start(port) {
    const program = goProgram('stripe-mock', STRIPE_MOCK);
    return spawn(program, ['-http-addr', `127.0.0.1:${port}`], { stdio: 'ignore' });
  },
};
