export { benchStridedCopy, type StridedCopyRow } from './strided-copy.js';
