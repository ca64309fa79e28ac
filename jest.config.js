// Tests run on the compiled output: what is tested is what ships, and no transform stands in between.
export default {
  testEnvironment: 'node',
  transform: {},
  roots: ['<rootDir>/libs', '<rootDir>/services', '<rootDir>/e2e'],
  testMatch: ['**/dist/**/__tests__/**/*.test.js'],
  testTimeout: 30_000,
};
