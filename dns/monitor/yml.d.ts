/** A bundle holds these files as text (custom.esbuild.loader of the service definitions). */
declare module '*.yml' {
  const text: string;
  export default text;
}
