import { join, relative } from 'node:path';
import ts from 'typescript';
import { isOfLists, optionOf } from '../../src/config/table/settings.ts';
import { programOf } from './program.ts';

/**
 * The source of the library's options: a member for each row of the tables of settings, with the comment of the row and the
 * type that its kind takes. Written down, and not computed by a mapped type, as that would lose the comments.
 *
 * @param root the folder of package.json
 */
export function optionsSource(root: string): string {
  const table = join(root, 'src/config/table');
  const files = ['service-settings', 'register-settings', 'process-settings'].map((name) => join(table, `${name}.ts`));
  const program = programOf(files);
  const checker = program.getTypeChecker();
  const imports = new Map<string, Set<string>>();
  const [main = [], register = [], shared = []] = files.map((file) => rowsOf(program.getSourceFile(file), checker));
  const own = [...main, ...register];
  // The registry of all services that have none of their own.
  const [service = '', process = ''] = [own, [...own.filter(({ name }) => name === 'DSC'), ...shared]].map((rows) => {
    return rows
      .filter(({ name }) => !isOfLists(name))
      .map((row) => memberOf(row, { checker, imports, from: join(root, 'src/config') }))
      .join('\n');
  });
  const imported = [...imports].map(
    ([file, names]) => `import type { ${[...names].sort().join(', ')} } from '${file}';`,
  );
  return `// Written by \`npm run docs\` from the tables of settings: do not edit.
${imported.sort().join('\n')}

/** One service: where it listens, and the candidates it carries connections to. */
export interface ServiceOptions {
  /** Name in events, status and metrics; must differ between services; default \`default\`. */
  readonly name?: string | undefined;
${service}
}

/** The configuration of an ambassador as an object: the settings of the environment in camel case. */
export interface AmbassadorOptions {
  /** At least one. */
  readonly services: readonly ServiceOptions[];
${process}
}
`;
}

interface Row {
  readonly name: string;
  readonly node: ts.PropertyAssignment;
}

/** The rows of the one object of a table. */
function rowsOf(source: ts.SourceFile | undefined, checker: ts.TypeChecker): readonly Row[] {
  const rows: Row[] = [];
  const visit = (node: ts.Node): void => {
    const isRow = ts.isPropertyAssignment(node) && checker.getTypeAtLocation(node).getProperty('meaning') !== undefined;
    if (isRow) rows.push({ name: node.name.getText(), node });
    else ts.forEachChild(node, visit);
  };
  if (source !== undefined) ts.forEachChild(source, visit);
  return rows;
}

interface Context {
  readonly checker: ts.TypeChecker;
  /** Names by file, as they are imported. */
  readonly imports: Map<string, Set<string>>;
  readonly from: string;
}

function memberOf({ name, node }: Row, { checker, imports, from }: Context): string {
  const comment = node.getFullText().trimStart();
  if (!comment.startsWith('/**')) throw new Error(`${name}: expected a comment before the row, for the library`);
  const { type, former } = readRow(node, checker);
  const text = type === undefined ? 'string' : checker.typeToString(type, undefined, ts.TypeFormatFlags.NoTruncation);
  const declared = type?.aliasSymbol?.declarations?.[0]?.getSourceFile().fileName;
  if (declared !== undefined) {
    const file = `./${relative(from, declared)}`;
    imports.set(file, (imports.get(file) ?? new Set()).add(text));
  }
  const option = optionOf(name);
  const member = name === 'SRC' ? `readonly src: ${text};` : `readonly ${option}?: ${text} | undefined;`;
  const own = `${comment.slice(0, comment.indexOf('*/') + 2)}\n${member}`;
  if (former === undefined) return own;
  return `${own}\n/** The former name of \`${option}\`. */\nreadonly ${optionOf(former)}?: ${text} | undefined;`;
}

/** What its kind takes (undefined: a text), and the name that it had before. */
function readRow(node: ts.Node, checker: ts.TypeChecker): { readonly type?: ts.Type; readonly former?: string } {
  const row = checker.getTypeAtLocation(node);
  const memberType = (of: ts.Type, name: string): ts.Type | undefined => {
    const member = of.getProperty(name);
    return member && checker.getTypeOfSymbol(member);
  };
  const kind = memberType(row, 'kind');
  const option = kind && memberType(kind, 'option');
  const taken = option && checker.getNonNullableType(option);
  const former = memberType(row, 'formerName');
  return {
    ...(taken !== undefined && (option?.flags ?? 0) !== ts.TypeFlags.Unknown && { type: taken }),
    ...(former?.isStringLiteral() === true && { former: former.value }),
  };
}
