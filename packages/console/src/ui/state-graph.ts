/** Where the states of a field are drawn, and the lines between them. Pure. */

export interface StateSteps {
  readonly order: readonly string[];
  readonly allowed: Readonly<Record<string, readonly string[]>>;
}

export interface StateBox {
  readonly name: string;
  readonly x: number;
  readonly y: number;
}

export interface StateLine {
  readonly from: string;
  readonly to: string;
  /** Of an SVG path. */
  readonly path: string;
}

export interface StateGraph {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly StateBox[];
  readonly lines: readonly StateLine[];
}

export const BOX = { width: 104, height: 30 } as const;
const GAP = { x: 46, y: 22 } as const;
const MARGIN = 6;

/** From left to right: a state is right of all that lead to it, in the order of the declaration from top to bottom. */
export function stateGraph({ order, allowed }: StateSteps): StateGraph {
  const columns = new Map<string, number>();
  // Every step leads to a later state of the order, so one walk over it has seen all that lead to a state.
  for (const state of order) {
    const column = columns.get(state) ?? 0;
    columns.set(state, column);
    for (const next of allowed[state] ?? []) columns.set(next, Math.max(columns.get(next) ?? 0, column + 1));
  }
  const rows = new Map<number, number>();
  const boxes = order.map((name) => {
    const column = columns.get(name) ?? 0;
    const row = rows.get(column) ?? 0;
    rows.set(column, row + 1);
    return {
      name,
      x: MARGIN + column * (BOX.width + GAP.x),
      y: MARGIN + row * (BOX.height + GAP.y),
    };
  });
  const at = new Map(boxes.map((box) => [box.name, box]));
  const lines = order.flatMap((from) =>
    (allowed[from] ?? []).flatMap((to) => {
      const [begin, end] = [at.get(from), at.get(to)];
      return begin === undefined || end === undefined ? [] : [{ from, to, path: curve(begin, end) }];
    }),
  );
  return {
    width: Math.max(...boxes.map(({ x }) => x + BOX.width), 0) + MARGIN,
    // Room for what goes below the boxes in between.
    height: Math.max(...boxes.map(({ y }) => y + BOX.height), 0) + GAP.y + MARGIN,
    boxes,
    lines,
  };
}

/** From the right side of one to the left side of the other; past a column in between it bends below that. */
function curve(from: StateBox, to: StateBox): string {
  const [x1, y1] = [from.x + BOX.width, from.y + BOX.height / 2];
  const [x2, y2] = [to.x - 4, to.y + BOX.height / 2];
  const isFar = to.x - from.x > BOX.width + GAP.x;
  const bend = isFar ? BOX.height / 2 + GAP.y * 0.8 : 0;
  const half = GAP.x / 2;
  if (!isFar) return `M${x1} ${y1} C${x1 + half} ${y1} ${x2 - half} ${y2} ${x2} ${y2}`;
  const lower = Math.max(y1, y2) + bend;
  return `M${x1} ${y1} C${x1 + half} ${y1} ${x1 + half} ${lower} ${x1 + GAP.x} ${lower} L${x2 - GAP.x} ${lower} C${x2 - half} ${lower} ${x2 - half} ${y2} ${x2} ${y2}`;
}
