import { nodeEngine } from '../../../../src/transport/node/engine.ts';
import { engineConforms } from '../../../conformance/engine.ts';
import { exchangeConforms } from '../../../conformance/exchange.ts';

engineConforms('typescript', () => nodeEngine());
exchangeConforms('typescript', () => nodeEngine());
