/** The settings with which benches and peers load the packaged functions. */
import { expect, test } from '@jest/globals';
import { ENVIRONMENT } from '../../scripts/bench/bundle/environment.ts';
import { loadConfig } from '../../src/shared/config/config.ts';

test.each(['aws', 'azure'] as const)(
  'the functions of %s accept the settings that they are loaded with',
  (cloud) => {
    expect(loadConfig(cloud, ENVIRONMENT[cloud])).toMatchObject({ site: ENVIRONMENT[cloud]['TANDEM_SITE'] });
  },
);
