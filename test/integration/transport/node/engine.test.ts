import { nodeEngine } from '../../../../src/transport/node/engine.ts';
import { engineConforms } from '../../../conformance/engine.ts';
import { exchangeConforms } from '../../../conformance/exchange.ts';
import { directIo } from '../../../support/service.ts';

engineConforms('typescript', () => nodeEngine(directIo()));
exchangeConforms('typescript', () => nodeEngine(directIo()));
