/* What the guests of bench_init.py run, by the name it is called by:
 * first    process 1 at first: mounts what is needed, starts the observer, then becomes /sbin/init;
 * run      a service: says that it is up, and sleeps.
 * The observer waits until as many services are up as the file /services says, tells of it in the kernel's log, asks
 * for the end of the machine, and tells of that. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void tell(const char *text)
{
	char line[512];
	int log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	snprintf(line, sizeof line, "<0>bench: %s\n", text);
	if (write(log, line, strlen(line)) < 0)
		_exit(1);
	close(log);
}

/* The memory that process 1 has to itself and has written to. */
static void tell_memory(void)
{
	char text[4096], *line;
	int file = open("/proc/1/smaps_rollup", O_RDONLY);
	ssize_t len = read(file, text, sizeof text - 1);

	text[len > 0 ? len : 0] = 0;
	line = strstr(text, "Private_Dirty:");
	if (line) {
		*strchr(line, '\n') = 0;
		tell(line);
	}
}

static void observe(void)
{
	char bytes[64], text[16] = "";
	int services, file = open("/services", O_RDONLY);
	int up = open("/run/up", O_RDWR);

	if (read(file, text, sizeof text - 1) < 0)
		_exit(1);
	for (services = atoi(text); services > 0;)
		services -= read(up, bytes, sizeof bytes);
	tell("up");
	/* The machine comes to rest. */
	sleep(1);
	tell_memory();
	tell("request");
	execl("/sbin/runit-init", "runit-init", "0", (char *)0);
	_exit(1);
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');
	int up;

	(void)argc;
	if (!name || strcmp(name, "/first")) {
		up = open("/run/up", O_WRONLY | O_CLOEXEC);
		if (write(up, "", 1) < 0)
			return 1;
		close(up);
		for (;;)
			pause();
	}
	mount("proc", "/proc", "proc", 0, 0);
	mount("devtmpfs", "/dev", "devtmpfs", 0, 0);
	mount("tmpfs", "/run", "tmpfs", 0, 0);
	mkfifo("/run/up", 0600);
	if (fork() == 0)
		observe();
	tell("begin");
	execl("/sbin/init", "init", (char *)0);
	return 1;
}
