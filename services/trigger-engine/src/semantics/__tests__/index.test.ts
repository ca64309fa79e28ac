import { expect, test } from '@jest/globals';
import * as engine from '../index.js';

test('the public exports', () => {
  expect(Object.keys(engine).sort()).toEqual([
    'EXPRESSION_LIMITS',
    'ExpressionCompiler',
    'ExpressionError',
    'INITIAL_STATE',
    'actionId',
    'advance',
    'appliesTo',
    'canonicalJson',
    'checkNameFault',
    'checkType',
    'completeDefinition',
    'decideStep',
    'decisionId',
    'decisionOf',
    'decodeNumber',
    'definitionDigest',
    'encodeNumber',
    'encodeValue',
    'eventOf',
    'explainStep',
    'extendHistory',
    'isKnown',
    'matchesRun',
    'outboxOf',
    'seriesOf',
    'stateAfterRollbacks',
    'triggerTree',
    'validateDefinition',
  ]);
});
