import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect, type TaskBody } from '@tidegate/client';
import { blobsToPng } from './blob-picture.js';
import { WAIT_MS } from './job-process.js';
import { blobPictureName, pictureScale, planeBox } from './pictures.js';

// What `tidegate worker` runs for each task of the blobs trigger: gets the step that fired and draws its blobs into the
// folder that is its argument. The task comes on standard input; that it ended well is the acknowledgement.
const task = JSON.parse(await text(process.stdin)) as TaskBody;
const above = Number(task.args.above);
const folder = process.argv[2] ?? '.';

const tide = await connect({ servers: process.env.TIDEGATE_NATS ?? '', name: 'tidegate-render' });
try {
  const { variable, run, step } = task;
  const { shape } = await tide.variable(variable);
  const [height, width] = shape.slice(-2) as [number, number];
  const box = planeBox(shape);
  // Where the run was rolled back in the meantime, the step is on its way again.
  const { data } = await tide.get({ variable, run, step, box, waitMs: WAIT_MS });
  const png = blobsToPng(data as Float64Array, height, width, { above, scale: pictureScale(height, width) });
  await mkdir(folder, { recursive: true });
  const path = join(folder, blobPictureName(shape.length, step));
  // The task may come twice: whoever is last puts the whole picture in place.
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, png);
  await rename(temporary, path);
} finally {
  await tide.close();
}
