import { commandNames, commandRow } from './commands.ts';
import { flagNames } from './table/settings.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** A script that completes commands and flags in a shell, made from the tables of both. */
export function completionScript(shell: Shell): string {
  if (shell === 'fish') return fish();
  // zsh reads completions of bash by a module of its own.
  return shell === 'zsh' ? `autoload -Uz compinit bashcompinit && compinit && bashcompinit\n${bash()}` : bash();
}

/** Of one command: its own flags, and those of settings where it reads any. */
function flagsOf(name: (typeof commandNames)[number]): readonly string[] {
  const { switches = [], values = {}, configures } = commandRow(name);
  const own = [...switches, ...Object.keys(values), 'help'];
  const asked = configures === true ? flagNames : ['http-addr', 'admin-addr'];
  return [...own, ...asked].map((flag) => `--${flag}`);
}

function bash(): string {
  const cases = commandNames.map((name) => `    ${name}) words='${flagsOf(name).join(' ')}' ;;`);
  return `_attache() {
  local words current=\${COMP_WORDS[COMP_CWORD]}
  case \${COMP_WORDS[1]} in
${cases.join('\n')}
    *) words='${[...commandNames, ...flagsOf('run')].join(' ')}' ;;
  esac
  case $COMP_CWORD:\${COMP_WORDS[1]} in
    1:*) [[ $current == -* ]] || words='${commandNames.join(' ')}' ;;
    2:help) words='${commandNames.join(' ')}' ;;
    2:completion) words='${shells.join(' ')}' ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _attache attache
`;
}

function fish(): string {
  const commands = commandNames.map(
    (name) =>
      `complete -c attache -n __fish_use_subcommand -a ${name} -d '${commandRow(name).does.replaceAll("'", '')}'`,
  );
  const flags = commandNames.flatMap((name) =>
    flagsOf(name).map((flag) => `complete -c attache -n '__fish_seen_subcommand_from ${name}' -l ${flag.slice(2)}`),
  );
  return `${['complete -c attache -f', ...commands, ...flags].join('\n')}\n`;
}
