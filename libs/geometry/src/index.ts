export {
  type Box,
  boxOfShape,
  contains,
  equals,
  formatBox,
  intersect,
  intersects,
  MAX_DIMENSIONS,
  makeBox,
  parseBox,
  shapeOf,
  subtract,
  volume,
  within,
} from './box.js';
export { BoxIndex } from './box-index.js';
export { coalesce, subtractAll } from './coalesce.js';
export {
  BoxSyntaxError,
  GeometryError,
  InvalidBoxError,
  InvalidShapeError,
  InvalidShardMapError,
  isGeometryError,
} from './geometry-error.js';
export { hilbertCoords, hilbertIndex } from './hilbert.js';
export { createShardMap, MAX_SHARDS, type ShardMap, type ShardMapOptions } from './shard-map.js';
export { splitBox } from './split-box.js';
export { isCovered, type TileOptions, type Tiling, tile } from './tile.js';
