/** For the other packages of Troupe only; may change in any release. */

export { boundedPlain } from './bounded.ts';
export { formatPath, type ValuePath } from './codec-error.ts';
export { type ScanMode, scanMessagePack } from './scan.ts';
export { decodeUtf8, encodeUtf8, loneSurrogateAt, truncateUtf8, utf8Length, wellFormed } from './utf8.ts';
