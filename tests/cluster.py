"""A real Slurm of two nodes on this machine, two fake GPUs each: killing one process ends all of it."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

NODES = ("n1", "n2")
PROGRAMS = ("slurmctld", "slurmd", "sbatch", "squeue", "munged", "unshare")
SECONDS = 30.0

CONFIGURATION = """\
ClusterName=tests
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.sock,cred_expire=5
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/%n
MpiDefault=none
SwitchType=switch/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SlurmdParameters=config_overrides
ReturnToService=2
SlurmctldTimeout=10
SlurmdTimeout=10
KillWait=3
OverTimeLimit=0
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
PriorityType=priority/basic
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
PreemptType=preempt/partition_prio
PreemptMode=CANCEL
GresTypes=gpu
NodeName=n1 NodeHostname=localhost NodeAddr=127.0.0.1 Port={ports[1]} CPUs=8 RealMemory=8000 Gres=gpu:2
NodeName=n2 NodeHostname=localhost NodeAddr=127.0.0.1 Port={ports[2]} CPUs=8 RealMemory=8000 Gres=gpu:2
PartitionName=debug Nodes=n1,n2 Default=YES MaxTime=INFINITE PriorityTier=1
PartitionName=urgent Nodes=n1,n2 MaxTime=INFINITE PriorityTier=10 PreemptMode=OFF
"""

# The first process of the cluster: each node has its own processes, host name and /etc/hosts, and one kill is a power
# cut. When its input closes, because the tests have ended or were killed, it ends, and with it everything.
FIRST = """
cd "$1"
munged --foreground --socket=munge.sock --key-file=munge.key --log-file=munged.log --pid-file=munged.pid \
    --seed-file=munged.seed < /dev/null > munged.out 2>&1 &
for _ in {1..500}; do [ -S munge.sock ] && break; sleep 0.02; done
slurmctld -D < /dev/null > slurmctld.out 2>&1 &
declare -A nodes
while read -r what node; do
    case $what in
    on)
        unshare --pid --fork --mount-proc --uts --kill-child sh -c \
            "hostname $node; mount --bind hosts.$node /etc/hosts; exec slurmd -D -N $node" \
            < /dev/null > "$node.out" 2>&1 &
        nodes[$node]=$! ;;
    off)
        kill -9 "${nodes[$node]}"
        wait "${nodes[$node]}" ;;
    esac 2> /dev/null
    echo "$what $node"
done
"""


@dataclass
class Cluster:
    """A running cluster. `environment` is what commands need to find it."""

    folder: Path
    process: "subprocess.Popen[str]"
    on: set[str] = field(default_factory=set)

    @property
    def environment(self) -> dict[str, str]:
        return {"SLURM_CONF": str(self.folder / "slurm.conf")}

    def run(self, *command: str) -> str:
        """Return what a command of Slurm says."""
        done = subprocess.run(
            command, env={**os.environ, **self.environment}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def power_off(self, node: str) -> None:
        """Cut a node's power."""
        self._tell("off", node)
        self.on.discard(node)

    def power_on(self, node: str) -> None:
        """Boot a node, unless it runs."""
        if node not in self.on:
            self._tell("on", node)
            self.on.add(node)

    def jobs(self, states: str = "PENDING,RUNNING") -> dict[str, str]:
        """Return the node of each job, empty for one that waits."""
        lines = self.run("squeue", "--noheader", f"--states={states}", "--format=%A %N").splitlines()
        return {line.split(" ")[0]: line.split(" ")[1].strip() for line in lines}

    def scancel(self, *jobs: str) -> None:
        """Cancel jobs."""
        self.run("scancel", *jobs)

    def wait_idle(self) -> None:
        """Wait until every node is on and has no job."""
        deadline = time.monotonic() + SECONDS
        while set(self.run("sinfo", "--noheader", "--Node", "--partition=debug", "--format=%T").split()) != {"idle"}:
            assert time.monotonic() < deadline, self.run("sinfo", "--Node", "--long")
            time.sleep(0.1)

    def _tell(self, what: str, node: str) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{what} {node}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline().split() == [what, node]


@pytest.fixture(scope="session")
def slurm_on_this_machine() -> Iterator[Cluster]:
    """Start the cluster once for all tests."""
    if missing := [program for program in PROGRAMS if shutil.which(program) is None]:
        pytest.skip(f"no {missing[0]}: apt-get install slurm-wlm munge")
    if os.geteuid() != 0:
        pytest.skip("only root may start nodes with host names and processes of their own")
    with tempfile.TemporaryDirectory(prefix="slurm-", ignore_cleanup_errors=True) as folder:  # short, for its socket
        _configure(Path(folder))
        process = subprocess.Popen(
            ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "bash", "-c", FIRST, "first", folder],
            env={**os.environ, "SLURM_CONF": f"{folder}/slurm.conf"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        try:
            yield Cluster(Path(folder), process)
        finally:
            process.kill()
            process.wait()


@pytest.fixture
def slurm(slurm_on_this_machine: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """The cluster with all nodes on and no job; commands of this process find it too."""
    cluster = slurm_on_this_machine
    for name, value in cluster.environment.items():
        monkeypatch.setenv(name, value)
    for node in NODES:
        cluster.power_on(node)
    cluster.wait_idle()
    yield cluster
    if left := cluster.jobs("PENDING,RUNNING,SUSPENDED"):
        cluster.scancel(*left)


def _configure(folder: Path) -> None:
    folder.chmod(0o755)  # munged refuses others
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    (folder / "slurm.conf").write_text(CONFIGURATION.format(folder=folder, ports=ports))
    for name in ("state", *NODES):
        (folder / name).mkdir()
    for number in range(2):  # Slurm wants devices
        (folder / f"gpu{number}").symlink_to("/dev/null")
    (folder / "gres.conf").write_text(f"NodeName=n1,n2 Name=gpu File={folder}/gpu[0-1]\n")
    for node in NODES:
        (folder / f"hosts.{node}").write_text(f"127.0.0.1 {node} localhost {' '.join(NODES)}\n")
    key = folder / "munge.key"
    key.touch(0o600)
    key.write_bytes(os.urandom(128))
