export { type BoxIndexRow, benchBoxIndex } from './box-index.js';
export { LOCALITY_SHAPES, type LocalityRow, localityTable } from './locality.js';
export { benchTile, type TileRow } from './tile.js';
