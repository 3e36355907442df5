import { join } from 'node:path';
import ts from 'typescript';
import { code, markdownTable } from './markdown.ts';
import { programOf } from './program.ts';

/**
 * Every export of `src/index.ts`: its signature or members, and the first sentence of its docstring.
 *
 * @param root the folder of package.json
 */
export function libraryReference(root: string): string {
  const { checker, exports } = readIndex(root);
  const entries = exports
    .filter(isUsable)
    .map((exported) => entryOf(exported, { checker, exports }))
    .sort((a, b) => a.name.localeCompare(b.name, 'en'));
  const section = (title: string, group: Entry['group']) => [
    `### ${title}`,
    ...entries.filter((entry) => entry.group === group).map(({ text }) => text),
  ];
  return [
    '## Reference',
    ...section('Functions and values', 'value'),
    ...section('Classes', 'class'),
    ...section('Types', 'type'),
  ].join('\n\n');
}

/** Types that stand in a public signature and that `src/index.ts` does not export: a user could not name them. */
export function unnamedTypes(root: string): readonly string[] {
  const { checker, exports } = readIndex(root);
  const named = new Set(exports.map(({ symbol }) => symbol));
  const unnamed = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isBlock(node) || (ts.isClassElement(node) && !isPublic(node))) return;
    if (ts.isTypeReferenceNode(node) || ts.isExpressionWithTypeArguments(node)) {
      const symbol = resolved(
        checker.getSymbolAtLocation(ts.isTypeReferenceNode(node) ? node.typeName : node.expression),
        checker,
      );
      const file = symbol?.declarations?.[0]?.getSourceFile().fileName ?? '';
      const isParameter = ((symbol?.flags ?? 0) & ts.SymbolFlags.TypeParameter) !== 0;
      if (symbol !== undefined && !isParameter && file.startsWith(join(root, 'src')) && !named.has(symbol)) {
        unnamed.add(symbol.name);
      }
    }
    ts.forEachChild(node, visit);
  };
  for (const { symbol } of exports.filter(isUsable)) {
    for (const declaration of symbol.declarations ?? []) ts.forEachChild(declaration, visit);
  }
  return [...unnamed].sort();
}

interface Export {
  /** As a user imports it. */
  readonly name: string;
  readonly symbol: ts.Symbol;
  /** It is not there at run time. */
  readonly isTypeOnly: boolean;
}

interface Index {
  readonly checker: ts.TypeChecker;
  readonly exports: readonly Export[];
}

function readIndex(root: string): Index {
  const file = join(root, 'src/index.ts');
  const program = programOf([file]);
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const index = source && checker.getSymbolAtLocation(source);
  if (source === undefined || index === undefined) throw new Error(`${file}: expected a module`);
  const typeOnly = typeOnlyNames(source, checker);
  const exports = checker.getExportsOfModule(index).flatMap((exported) => {
    const symbol = resolved(exported, checker);
    return symbol === undefined ? [] : [{ name: exported.name, symbol, isTypeOnly: typeOnly.has(exported.name) }];
  });
  return { checker, exports };
}

function resolved(symbol: ts.Symbol | undefined, checker: ts.TypeChecker): ts.Symbol | undefined {
  return symbol !== undefined && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

/** A function or a value that only its type is exported of is of no use. */
function isUsable({ symbol, isTypeOnly }: Export): boolean {
  return !isTypeOnly || (symbol.flags & (ts.SymbolFlags.Type | ts.SymbolFlags.Class)) !== 0;
}

/** What `export type` exports: not there at run time, whatever it is. */
function typeOnlyNames(source: ts.SourceFile, checker: ts.TypeChecker): ReadonlySet<string> {
  const names = source.statements.filter(ts.isExportDeclaration).flatMap((statement) => {
    const { exportClause, isTypeOnly, moduleSpecifier } = statement;
    if (exportClause !== undefined && ts.isNamedExports(exportClause)) {
      return exportClause.elements.filter((one) => isTypeOnly || one.isTypeOnly).map((one) => one.name.text);
    }
    const module = moduleSpecifier && checker.getSymbolAtLocation(moduleSpecifier);
    return isTypeOnly && module !== undefined ? checker.getExportsOfModule(module).map(({ name }) => name) : [];
  });
  return new Set(names);
}

interface Entry {
  readonly name: string;
  readonly group: 'value' | 'class' | 'type';
  readonly text: string;
}

function entryOf({ name, symbol, isTypeOnly }: Export, index: Index): Entry {
  const { checker } = index;
  const declaration = symbol.declarations?.[0];
  const meaning = firstSentence(symbol, checker);
  const block = (...parts: readonly string[]) =>
    [`#### ${code(name)}`, ...parts, meaning].filter((p) => p !== '').join('\n\n');
  if (declaration === undefined) throw new Error(`${name}: expected a declaration`);
  const imported = importedNames(declaration, index);
  const fenced = (text: string) => `\`\`\`ts\n${imported(text)}\n\`\`\``;
  if (ts.isFunctionDeclaration(declaration))
    return { name, group: 'value', text: block(fenced(`function ${name}${signature(declaration, checker)}`)) };
  if (ts.isVariableDeclaration(declaration))
    return { name, group: 'value', text: block(fenced(`const ${name}: ${constType(declaration, checker)}`)) };
  if (ts.isClassDeclaration(declaration) || ts.isInterfaceDeclaration(declaration)) {
    // Nobody can call the constructor of a class that is not there at run time.
    const isCallable = (member: Member): boolean => !(isTypeOnly && ts.isConstructorDeclaration(member));
    const told = [...declaration.members].filter(isPublic).filter(isCallable);
    const [marks, rows] = [told.filter(isMark), told.filter((member) => !isMark(member))];
    const lines = [
      ...(declaration.heritageClauses ?? []).map(plain),
      ...marks.map((mark) => memberText(mark, checker)),
    ];
    const heading = block(...lines.map((line) => code(imported(line))));
    const table = members(rows, (member) => imported(memberText(member, checker)), checker);
    const isValue = ts.isClassDeclaration(declaration) && !isTypeOnly;
    return { name, group: isValue ? 'class' : 'type', text: `${heading}\n\n${table}` };
  }
  if (ts.isTypeAliasDeclaration(declaration))
    return { name, group: 'type', text: block(fenced(`type ${name} = ${plain(declaration.type)}`)) };
  throw new Error(`${name}: expected a function, a value, a class, an interface or a type`);
}

/** Writes the types of a declaration as a user imports them: inside, `CandidateEndpoint` has another name. */
function importedNames(declaration: ts.Node, { checker, exports }: Index): (text: string) => string {
  const names = new Map<string, string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) {
      const symbol = resolved(checker.getSymbolAtLocation(node), checker);
      const same = exports.filter((exported) => exported.symbol === symbol);
      const [first] = same;
      if (first !== undefined && same.every(({ name }) => name !== node.text)) names.set(node.text, first.name);
    }
    ts.forEachChild(node, visit);
  };
  visit(declaration);
  return (text) => text.replaceAll(/\b[A-Z]\w*/g, (name) => names.get(name) ?? name);
}

type Member = ts.ClassElement | ts.TypeElement;

function members(members: readonly Member[], textOf: (member: Member) => string, checker: ts.TypeChecker): string {
  const rows = members.map((member) => {
    const documented = ts.isConstructorDeclaration(member)
      ? checker.getSignatureFromDeclaration(member)
      : checker.getSymbolAtLocation(member.name ?? member);
    return [code(textOf(member)), documented === undefined ? '' : firstSentence(documented, checker)];
  });
  return markdownTable(['member', 'meaning'], rows);
}

/** The member by which a union tells its interfaces apart, such as `type: 'listening'`: it says which one it is, and no more. */
function isMark(member: Member): boolean {
  if (!ts.isPropertySignature(member) || !['type', 'kind'].includes(member.name.getText())) return false;
  return member.type !== undefined && ts.isLiteralTypeNode(member.type);
}

function isPublic(member: Member): boolean {
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
  return (
    !(member.name !== undefined && ts.isPrivateIdentifier(member.name)) &&
    (ts.getCombinedModifierFlags(member) & hidden) === 0
  );
}

function memberText(member: Member, checker: ts.TypeChecker): string {
  if (ts.isConstructorDeclaration(member)) return `new (${parameters(member)})`;
  const optional = 'questionToken' in member && member.questionToken !== undefined ? '?' : '';
  const name = `${member.name?.getText() ?? ''}${optional}`;
  if (ts.isMethodDeclaration(member) || ts.isMethodSignature(member)) return `${name}${signature(member, checker)}`;
  return `${name}: ${memberType(member, checker)}`;
}

function memberType(member: Member, checker: ts.TypeChecker): string {
  const declared = 'type' in member ? (member.type as ts.TypeNode | undefined) : undefined;
  if (declared === undefined) return checker.typeToString(checker.getTypeAtLocation(member), undefined, FULL);
  return plain(declared);
}

/** `<T>(parameters): type`, as it is written; a type that is not written is the one that was found. */
function signature(node: ts.SignatureDeclaration, checker: ts.TypeChecker): string {
  const generics = node.typeParameters?.map(plain).join(', ');
  const found = checker.getSignatureFromDeclaration(node);
  const type = node.type === undefined && found !== undefined ? checker.typeToString(found.getReturnType()) : undefined;
  const returned = type ?? (node.type === undefined ? 'void' : plain(node.type));
  return `${generics === undefined ? '' : `<${generics}>`}(${parameters(node)}): ${returned}`;
}

function parameters(node: ts.SignatureDeclaration): string {
  return node.parameters.map(plain).join(', ');
}

function constType(declaration: ts.VariableDeclaration, checker: ts.TypeChecker): string {
  return declaration.type === undefined
    ? checker.typeToString(checker.getTypeAtLocation(declaration), undefined, FULL)
    : plain(declaration.type);
}

const FULL = ts.TypeFormatFlags.NoTruncation;

/** Source on one line, without comments. */
function plain(node: ts.Node): string {
  const text = node
    .getText()
    .replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
    .replaceAll(/\s+/g, ' ');
  return text.trim().replace(/^\| /, '');
}

function firstSentence(documented: ts.Symbol | ts.Signature, checker: ts.TypeChecker): string {
  const text = ts
    .displayPartsToString(documented.getDocumentationComment(checker))
    .replaceAll(/\{@link\s+([^}]+?)\s*\}/g, '`$1`')
    .split(/\n\s*\n/)[0]
    ?.replaceAll(/^- /gm, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return /^.*?(?<!e[.]g)[.](?=\s+[A-Z`*]|$)/.exec(text ?? '')?.[0] ?? text ?? '';
}
