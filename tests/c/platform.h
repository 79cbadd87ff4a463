/* What differs between Windows and the others: loading, sockets, a child process with a pipe to its standard input. */
#ifndef PLATFORM_H
#define PLATFORM_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>

typedef struct {
    HANDLE process, input;
} Child;

static void *open_library(const char *path) { return (void *)LoadLibraryExA(path, NULL, LOAD_WITH_ALTERED_SEARCH_PATH); }
static void *find_symbol(void *library, const char *name) { return (void *)GetProcAddress((HMODULE)library, name); }
static void pause_ms(int ms) { Sleep((DWORD)ms); }
static void set_variable(const char *name, const char *value) { SetEnvironmentVariableA(name, value); }

static void start_sockets(void) {
    WSADATA sockets;
    WSAStartup(MAKEWORD(2, 2), &sockets);
}

/* Starts a program; its output goes to the file `out`. False where that fails. */
static int start_child(Child *child, char *command, const char *out) {
    SECURITY_ATTRIBUTES inherited = {sizeof inherited, NULL, TRUE};
    STARTUPINFOA how;
    PROCESS_INFORMATION made;
    HANDLE input;
    BOOL started;
    memset(&how, 0, sizeof how);
    how.cb = sizeof how;
    how.dwFlags = STARTF_USESTDHANDLES;
    if (!CreatePipe(&input, &child->input, &inherited, 0)) return 0;
    SetHandleInformation(child->input, HANDLE_FLAG_INHERIT, 0);
    how.hStdInput = input;
    how.hStdOutput = how.hStdError = CreateFileA(out, GENERIC_WRITE, FILE_SHARE_READ, &inherited, CREATE_ALWAYS, 0, NULL);
    started = CreateProcessA(NULL, command, NULL, NULL, TRUE, CREATE_NO_WINDOW, NULL, NULL, &how, &made);
    CloseHandle(input);
    CloseHandle(how.hStdOutput);
    if (!started) return 0;
    CloseHandle(made.hThread);
    child->process = made.hProcess;
    return 1;
}

/* Closes its standard input and waits for its end. */
static void end_child(Child *child) {
    CloseHandle(child->input);
    WaitForSingleObject(child->process, 20000);
    CloseHandle(child->process);
}
#else
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#define closesocket close

typedef struct {
    FILE *input;
} Child;

static void *open_library(const char *path) { return dlopen(path, RTLD_NOW); }
static void *find_symbol(void *library, const char *name) { return dlsym(library, name); }
static void set_variable(const char *name, const char *value) { setenv(name, value, 1); }
static void start_sockets(void) {}

static void pause_ms(int ms) {
    struct timeval wait;
    wait.tv_sec = ms / 1000;
    wait.tv_usec = (ms % 1000) * 1000;
    select(0, NULL, NULL, NULL, &wait);
}

static int start_child(Child *child, char *command, const char *out) {
    char whole[8192];
    snprintf(whole, sizeof whole, "%s >'%s' 2>&1", command, out);
    child->input = popen(whole, "w");
    return child->input != NULL;
}

static void end_child(Child *child) { pclose(child->input); }
#endif

#endif
