/** Style sheets are bundled into one file. */
declare module '*.css';
