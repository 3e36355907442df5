import ts from 'typescript';

/** The sources at `files` with all that they import, as the compiler reads them; nothing is written. */
export function programOf(files: readonly string[]): ts.Program {
  return ts.createProgram([...files], {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    types: ['node'],
  });
}
