import { engineConforms } from '../../../conformance/engine.ts';
import { nativeEngine } from '../../../support/engine.ts';

engineConforms('native', nativeEngine);
