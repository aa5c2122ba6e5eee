/** Names in code that follow from those of an entity, which are lower case with hyphens. */

/** `order-line` → `orderLine` */
export function camel(name: string): string {
  return name.replaceAll(/-+(.?)/g, (_, next: string) => next.toUpperCase());
}

/** `order-line` → `OrderLine` */
export function pascal(name: string): string {
  const text = camel(name);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The function that answers on a path of one segment: `/order-lines` → `orderLines`. */
export function functionOf(path: string): string {
  return camel(path.slice(1));
}

/** Name of the check of an action's input: `bookingConfirmInput`. */
export function actionCheck(entity: string, action: string): string {
  return `${camel(entity)}${action.charAt(0).toUpperCase()}${action.slice(1)}Input`;
}
