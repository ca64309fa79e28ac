import { expect, test } from '@jest/globals';
import { SECTIONS, sectionsOf } from '../sections.js';

test('a list names parts and groups of them', () => {
  expect([...sectionsOf('spill,copy')]).toEqual(['spill', 'copy']);
  expect([...sectionsOf('all')]).toEqual([...SECTIONS]);
  expect(sectionsOf('triggers').has('latency')).toBe(true);
  expect(sectionsOf('triggers').has('staging')).toBe(false);
  expect(sectionsOf('staging,triggers').has('staging')).toBe(true);
});

test('a name that is none is refused with those that are', () => {
  expect(() => sectionsOf('copy,speed')).toThrow(/all, triggers, staging.*got "speed"/);
  expect(() => sectionsOf('')).toThrow(RangeError);
});
