import { join } from 'node:path';
import ts from 'typescript';
import { code, markdownTable } from './markdown.ts';

/**
 * Every export of `src/index.ts`: its signature or members, and the first sentence of its docstring.
 *
 * @param root the folder of package.json
 */
export function libraryReference(root: string): string {
  const file = join(root, 'src/index.ts');
  const program = ts.createProgram([file], {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    types: ['node'],
  });
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const index = source && checker.getSymbolAtLocation(source);
  if (index === undefined) throw new Error(`${file}: expected a module`);
  const entries = checker
    .getExportsOfModule(index)
    .map((symbol) => entryOf(symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol, checker))
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

interface Entry {
  readonly name: string;
  readonly group: 'value' | 'class' | 'type';
  readonly text: string;
}

function entryOf(symbol: ts.Symbol, checker: ts.TypeChecker): Entry {
  const declaration = symbol.declarations?.[0];
  const meaning = firstSentence(symbol, checker);
  const { name } = symbol;
  const block = (...parts: readonly string[]) =>
    [`#### ${code(name)}`, ...parts, meaning].filter((p) => p !== '').join('\n\n');
  const fenced = (text: string) => `\`\`\`ts\n${text}\n\`\`\``;
  if (declaration === undefined) throw new Error(`${name}: expected a declaration`);
  if (ts.isFunctionDeclaration(declaration))
    return { name, group: 'value', text: block(fenced(`function ${name}${signature(declaration, checker)}`)) };
  if (ts.isVariableDeclaration(declaration))
    return { name, group: 'value', text: block(fenced(`const ${name}: ${constType(declaration, checker)}`)) };
  if (ts.isClassDeclaration(declaration))
    return { name, group: 'class', text: `${block()}\n\n${members(declaration, checker)}` };
  if (ts.isInterfaceDeclaration(declaration))
    return { name, group: 'type', text: `${block()}\n\n${members(declaration, checker)}` };
  if (ts.isTypeAliasDeclaration(declaration))
    return { name, group: 'type', text: block(fenced(`type ${name} = ${plain(declaration.type)}`)) };
  throw new Error(`${name}: expected a function, a value, a class, an interface or a type`);
}

function members(declaration: ts.ClassDeclaration | ts.InterfaceDeclaration, checker: ts.TypeChecker): string {
  const rows = [...declaration.members].filter(isPublic).map((member) => {
    const symbol = ts.isConstructorDeclaration(member) ? undefined : checker.getSymbolAtLocation(member.name ?? member);
    return [code(memberText(member, checker)), symbol === undefined ? '' : firstSentence(symbol, checker)];
  });
  return markdownTable(['member', 'meaning'], rows);
}

function isPublic(member: ts.ClassElement | ts.TypeElement): boolean {
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
  return (
    !(member.name !== undefined && ts.isPrivateIdentifier(member.name)) &&
    (ts.getCombinedModifierFlags(member) & hidden) === 0
  );
}

function memberText(member: ts.ClassElement | ts.TypeElement, checker: ts.TypeChecker): string {
  if (ts.isConstructorDeclaration(member)) return `new (${parameters(member)})`;
  const name = member.name?.getText() ?? '';
  if (ts.isMethodDeclaration(member) || ts.isMethodSignature(member)) return `${name}${signature(member, checker)}`;
  const optional = 'questionToken' in member && member.questionToken !== undefined ? '?' : '';
  return `${name}${optional}: ${memberType(member, checker)}`;
}

function memberType(member: ts.ClassElement | ts.TypeElement, checker: ts.TypeChecker): string {
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

function firstSentence(symbol: ts.Symbol, checker: ts.TypeChecker): string {
  const text = ts
    .displayPartsToString(symbol.getDocumentationComment(checker))
    .replaceAll(/\{@link\s+([^}]+?)\s*\}/g, '`$1`')
    .split(/\n\s*\n/)[0]
    ?.replaceAll(/^- /gm, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return /^.*?(?<!e[.]g)[.](?=\s+[A-Z`*]|$)/.exec(text ?? '')?.[0] ?? text ?? '';
}
