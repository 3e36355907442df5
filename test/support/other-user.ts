import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Who is neither root nor the one that attache runs as. */
export const OTHER_UID = 65534;

/** Perl, which every Debian has: this Node may lie in a folder that the other user cannot enter. */
const PERL = '/usr/bin/perl';
const CLIENT = `
use IO::Socket::UNIX; use Errno; use Socket;
my ($path, $text) = @ARGV;
my $socket = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $path);
if (!$socket) { my ($code) = grep { $!{$_} } qw(EACCES ECONNREFUSED ENOENT); print $code // "errno " . ($! + 0); exit }
$socket->print($text); $socket->flush; $socket->shutdown(SHUT_WR);
print while <$socket>;
`;

/**
 * What a real process of another user gets from a Unix socket: the answer to what it sent, or the error's code. As root
 * it is started with that uid and group, otherwise through sudo as `nobody`.
 *
 * @throws when this user can start nobody else's process: a suite without that proves nothing
 */
export async function askAsOther(path: string, text: string, gid = OTHER_UID): Promise<string> {
  const child = client(path, text, gid);
  let answer = '';
  child.stdout?.on('data', (data: Buffer) => (answer += data.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error('NOT DONE: a process of another uid takes root, or sudo without a password');
  return answer;
}

function client(path: string, text: string, gid: number): ChildProcess {
  const args = ['-e', CLIENT, path, text];
  const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore'];
  if (process.getuid?.() === 0) return spawn(PERL, args, { uid: OTHER_UID, gid, stdio, cwd: '/', timeout: 20_000 });
  const user = ['-n', '-u', 'nobody', ...(gid === OTHER_UID ? [] : ['-g', `#${gid}`])];
  return spawn('sudo', [...user, PERL, ...args], { stdio, cwd: '/', timeout: 20_000 });
}
