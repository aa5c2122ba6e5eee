/** How a key is bad at a site. */
export type Badness =
  /** What the store holds under it is no record. */
  | 'unreadable'
  /** The store refuses to read it, and every page of a scan that holds it, be it alone. */
  | 'unscannable'
  /** The store refuses every change of it. */
  | 'unwritable'
  /** The store refuses to read it together with more than one other key. */
  | 'page'
  /** The site's inbound queue refuses what is about it, as too large or for what it is. */
  | 'too large'
  | 'refused';
