/* A library that Server 2008 R2 cannot load: the import check must refuse it. */
#define _WIN32_WINNT 0x0602
#include <windows.h>

__declspec(dllexport) unsigned long now(void) {
    FILETIME time;
    GetSystemTimePreciseAsFileTime(&time);
    return time.dwLowDateTime;
}
