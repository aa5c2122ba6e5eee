'use strict';
/**
 * Loaded into every command of a rehearsal before anything else: takes what is meant for a cloud to the emulator on
 * loopback, under the name that it was meant for (`Host`).
 *
 * Invariant: nothing leaves this machine. A connection with TLS ends at REHEARSE_PORT, in plain text, whatever its
 * host, or is told that no such host exists (REHEARSE_UNKNOWN, a pattern); any other not to loopback is refused. So the commands need no setting of theirs changed: their
 * endpoints, regions and names of buckets are those of a deployment.
 */
const net = require('node:net');
const tls = require('node:tls');

const LOOPBACK = /^(localhost|127(\.\d+){3}|::1)$/;

const { REHEARSE_PORT, REHEARSE_UNKNOWN } = process.env;
const UNKNOWN = REHEARSE_UNKNOWN ? new RegExp(REHEARSE_UNKNOWN) : undefined;

function fail(socket, code, message) {
  process.nextTick(() => socket.destroy(Object.assign(new Error(message), { code })));
  return socket;
}

tls.connect = function connectToEmulator(...args) {
  const onSecure = args.find((arg) => typeof arg === 'function');
  const { host = '' } = args.find((arg) => typeof arg === 'object' && arg !== null) ?? {};
  if (UNKNOWN?.test(host)) return fail(new net.Socket(), 'ENOTFOUND', `getaddrinfo ENOTFOUND ${host}`);
  const socket = net.connect({ host: '127.0.0.1', port: Number(REHEARSE_PORT) });
  if (onSecure) socket.once('secureConnect', onSecure);
  socket.once('connect', () => socket.emit('secureConnect'));
  return socket;
};

const { connect } = net.Socket.prototype;
net.Socket.prototype.connect = function connectToLoopback(...args) {
  const [options] = Array.isArray(args[0]) ? args[0] : net._normalizeArgs(args);
  const { host = 'localhost', path } = options;
  if (typeof path === 'string' || LOOPBACK.test(host)) return connect.apply(this, args);
  return fail(this, 'ECONNREFUSED', `connect ECONNREFUSED ${host}`);
};
