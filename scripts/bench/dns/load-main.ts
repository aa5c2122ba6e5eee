/**
 * A load generator over UDP, as a process of its own: keeps so many queries under way for a while and counts answers.
 * Prints a `LoadResult` as JSON. Arguments: port, name, milliseconds, queries under way.
 */
import dgram from 'node:dgram';
import { once } from 'node:events';

export interface LoadResult {
  readonly answers: number;
  /** Given up for lost, and asked again. */
  readonly lost: number;
  /** Answers with another code than success, or without a record. */
  readonly wrong: number;
  readonly ms: number;
}

const LOST_AFTER_MS = 200;
const SOCKETS = 4;

function queryFor(name: string): Buffer {
  const labels = name
    .split('.')
    .map((label) => Buffer.from(String.fromCharCode(label.length) + label, 'latin1'));
  const header = Buffer.from([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, 1, 0, 1])]);
}

interface Lane {
  readonly socket: dgram.Socket;
  answers: number;
  lastAnswerAt: number;
  underWay: number;
}

async function main(): Promise<void> {
  const [port = '', name = '', ms = '', underWay = ''] = process.argv.slice(2);
  const query = queryFor(name);
  const lanes: Lane[] = [];
  let wrong = 0;
  let lost = 0;
  let id = 0;
  const send = (lane: Lane): void => {
    id = (id + 1) & 0xff_ff;
    const packet = Buffer.from(query);
    packet.writeUInt16BE(id);
    lane.socket.send(packet);
    lane.underWay += 1;
  };
  for (let i = 0; i < SOCKETS; i += 1) {
    const socket = dgram.createSocket('udp4');
    socket.connect(Number(port), '127.0.0.1');
    await once(socket, 'connect');
    const lane: Lane = { socket, answers: 0, lastAnswerAt: performance.now(), underWay: 0 };
    socket.on('message', (answer) => {
      lane.answers += 1;
      lane.underWay -= 1;
      lane.lastAnswerAt = performance.now();
      if (((answer[3] ?? 0) & 0xf) !== 0 || answer.readUInt16BE(6) === 0) wrong += 1;
      send(lane);
    });
    lanes.push(lane);
  }
  const perLane = Math.ceil(Number(underWay) / SOCKETS);
  const startedAt = performance.now();
  for (const lane of lanes) for (let i = 0; i < perLane; i += 1) send(lane);
  const watch = setInterval(() => {
    for (const lane of lanes) {
      if (performance.now() - lane.lastAnswerAt < LOST_AFTER_MS) continue;
      lost += lane.underWay;
      lane.underWay = 0;
      for (let i = 0; i < perLane; i += 1) send(lane);
    }
  }, LOST_AFTER_MS);
  await new Promise((resolve) => setTimeout(resolve, Number(ms)));
  clearInterval(watch);
  const result: LoadResult = {
    answers: lanes.reduce((sum, lane) => sum + lane.answers, 0),
    lost,
    wrong,
    ms: performance.now() - startedAt,
  };
  for (const { socket } of lanes) socket.close();
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

await main();
