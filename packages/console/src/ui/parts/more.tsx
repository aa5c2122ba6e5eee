/** As many rows of a long list as were asked for. */
import { type ComponentChildren, Fragment, type JSX } from 'preact';
import { useState } from 'preact/hooks';

const STEP = 50;

/** @param children What shows the rows. */
export function Portion<Row>({
  rows,
  children,
}: {
  rows: readonly Row[];
  children: (shown: readonly Row[]) => ComponentChildren;
}): JSX.Element {
  const [size, setSize] = useState(STEP);
  const left = rows.length - size;
  return (
    <Fragment>
      {children(rows.slice(0, size))}
      {left > 0 && (
        <p>
          <button type="button" onClick={() => setSize(size + STEP)}>
            More
          </button>{' '}
          <span class="muted">{left.toLocaleString()} more</span>
        </p>
      )}
    </Fragment>
  );
}
