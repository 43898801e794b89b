/* A stand-in for the driver's libnvidia-ml.so.1: answers from the text file that AIMARK_TEST_NVML names.

   One answer a line: a key, then numbers or "=text" to give, or "!code" to fail with. A key that is missing is "not
   supported" (3). The file is read again whenever it is replaced. Keys of a card begin with its number ("0.memory"),
   those of its parts with both ("0.2.memory"). "hang" makes every call wait until the line is gone. -DOLD_DRIVER
   leaves out what drivers did not always have. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef unsigned int u32;
typedef unsigned long long u64;
typedef void *device;
typedef struct { u64 total, free, used; } memory;
typedef struct { u32 gpu, memory; } utilization;
typedef struct { u32 pid; u64 used; u32 gpu_instance, compute_instance; } process;
typedef struct { u32 version, sensor; int temperature; } temperature;

enum { OK = 0, UNINITIALIZED = 1, NOT_SUPPORTED = 3, NOT_FOUND = 6, TOO_SMALL = 7, LIBRARY_NOT_FOUND = 12 };

static char text[65536];
static struct stat seen;
static int opened = 0;

static void load(void)
{
    const char *path = getenv("AIMARK_TEST_NVML");
    struct stat now;
    if (!path || stat(path, &now) != 0) {
        strcpy(text, "init !12\n");
        memset(&seen, 0, sizeof seen);
        return;
    }
    if (now.st_ino == seen.st_ino && now.st_mtim.tv_nsec == seen.st_mtim.tv_nsec && now.st_mtim.tv_sec == seen.st_mtim.tv_sec)
        return;
    FILE *file = fopen(path, "r");
    if (!file)
        return;
    size_t length = fread(text, 1, sizeof text - 1, file);
    text[length] = 0;
    fclose(file);
    seen = now;
}

/* The rest of the key's line, or NULL. */
static const char *line_of(const char *key)
{
    size_t length = strlen(key);
    for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (strncmp(line, key, length) == 0 && (line[length] == ' ' || line[length] == '\n'))
            return line + length;
    return NULL;
}

static const char *find(const char *key)
{
    load();
    while (line_of("hang")) {
        usleep(1000);
        load();
    }
    return line_of(key);
}

static void key_of(char *key, device handle, const char *name)
{
    uintptr_t code = (uintptr_t)handle;
    unsigned card = code / 1000 - 1, part = code % 1000;
    if (part)
        sprintf(key, "%u.%u.%s", card, part - 1, name);
    else
        sprintf(key, "%u.%s", card, name);
}

/* Numbers of a key; returns the code. */
static int numbers(const char *key, u64 *out, int count)
{
    const char *rest = find(key);
    if (!opened)
        return UNINITIALIZED;
    if (!rest)
        return NOT_SUPPORTED;
    while (*rest == ' ')
        rest++;
    if (*rest == '!')
        return atoi(rest + 1);
    for (int i = 0; i < count; i++) {
        char *end;
        out[i] = strtoull(rest, &end, 10);
        rest = end;
    }
    return OK;
}

static int number(device handle, const char *name, u32 *out)
{
    char key[64];
    u64 value = 0;
    key_of(key, handle, name);
    int code = numbers(key, &value, 1);
    if (code == OK)
        *out = (u32)value;
    return code;
}

static int string(const char *key, char *out, u32 length)
{
    const char *rest = find(key);
    if (!opened)
        return UNINITIALIZED;
    if (!rest)
        return NOT_SUPPORTED;
    while (*rest == ' ')
        rest++;
    if (*rest == '!')
        return atoi(rest + 1);
    if (*rest == '=')
        rest++;
    u32 i = 0;
    for (; rest[i] && rest[i] != '\n' && i + 1 < length; i++)
        out[i] = rest[i];
    out[i] = 0;
    return OK;
}

int nvmlInitWithFlags(u32 flags)
{
    (void)flags;
    const char *rest = find("init");
    opened = 1;
    u64 ignored;
    int code = rest ? numbers("init", &ignored, 1) : OK;
    opened = code == OK;
    return code;
}

int nvmlShutdown(void)
{
    opened = 0;
    return OK;
}

const char *nvmlErrorString(int code)
{
    static char words[32];
    sprintf(words, "scripted error %d", code);
    return words;
}

int nvmlSystemGetDriverVersion(char *out, u32 length) { return string("driver", out, length); }

int nvmlDeviceGetCount_v2(u32 *count)
{
    u64 value = 0;
    int code = numbers("count", &value, 1);
    *count = (u32)value;
    return code;
}

int nvmlDeviceGetHandleByIndex_v2(u32 index, device *out)
{
    char key[64];
    u64 ignored;
    *out = (device)(uintptr_t)((index + 1) * 1000);
    key_of(key, *out, "handle");
    int code = numbers(key, &ignored, 1);
    return code == NOT_SUPPORTED ? OK : code;
}

int nvmlDeviceGetName(device handle, char *out, u32 length)
{
    char key[64];
    key_of(key, handle, "name");
    return string(key, out, length);
}

int nvmlDeviceGetUUID(device handle, char *out, u32 length)
{
    char key[64];
    key_of(key, handle, "uuid");
    return string(key, out, length);
}

int nvmlDeviceGetMemoryInfo(device handle, memory *out)
{
    char key[64];
    u64 values[3];
    key_of(key, handle, "memory");
    int code = numbers(key, values, 3);
    if (code == OK) {
        out->total = values[0];
        out->used = values[1];
        out->free = values[2];
    }
    return code;
}

int nvmlDeviceGetUtilizationRates(device handle, utilization *out) { return number(handle, "utilisation", &out->gpu); }
int nvmlDeviceGetPowerUsage(device handle, u32 *out) { return number(handle, "power", out); }
int nvmlDeviceGetEnforcedPowerLimit(device handle, u32 *out) { return number(handle, "power_limit", out); }

int nvmlDeviceGetClockInfo(device handle, u32 type, u32 *out)
{
    return number(handle, type == 2 ? "memory_clock" : "clock", out);
}

int nvmlDeviceGetTemperature(device handle, u32 sensor, u32 *out)
{
    (void)sensor;
    return number(handle, "temperature", out);
}

int nvmlDeviceGetCurrentClocksThrottleReasons(device handle, u64 *out)
{
    char key[64];
    key_of(key, handle, "throttle");
    return numbers(key, out, 1);
}

#ifndef OLD_DRIVER
int nvmlDeviceGetTemperatureV(device handle, temperature *out)
{
    u32 value = 0;
    int code = number(handle, "temperature_v", &value);
    out->temperature = (int)value;
    return code;
}

int nvmlDeviceGetCurrentClocksEventReasons(device handle, u64 *out)
{
    char key[64];
    key_of(key, handle, "events");
    return numbers(key, out, 1);
}

/* "pid:bytes:part" a process; bytes and part may be "-" for the driver's marks of no number. */
static int processes(device handle, const char *name, u32 *count, process *out)
{
    char key[64];
    u64 ignored;
    key_of(key, handle, name);
    int code = numbers(key, &ignored, 0);
    if (code != OK)
        return code;
    u32 room = *count, found = 0;
    char line[8192], *next = line;
    string(key, line, sizeof line);
    for (char *word; (word = strtok_r(next, " ", &next));) {
        if (found < room) {
            char *bytes = strchr(word, ':') + 1, *part = strchr(bytes, ':') + 1;
            out[found].pid = (u32)strtoul(word, NULL, 10);
            out[found].used = *bytes == '-' ? ~0ULL : strtoull(bytes, NULL, 10);
            out[found].gpu_instance = *part == '-' ? ~0U : (u32)strtoul(part, NULL, 10);
            out[found].compute_instance = ~0U;
        }
        found++;
    }
    *count = found;
    return found > room ? TOO_SMALL : OK;
}

int nvmlDeviceGetComputeRunningProcesses_v3(device handle, u32 *count, process *out)
{
    return processes(handle, "compute", count, out);
}

int nvmlDeviceGetGraphicsRunningProcesses_v3(device handle, u32 *count, process *out)
{
    return processes(handle, "graphics", count, out);
}

int nvmlDeviceGetMigMode(device handle, u32 *current, u32 *pending)
{
    *pending = 0;
    return number(handle, "mig", current);
}

int nvmlDeviceGetMaxMigDeviceCount(device handle, u32 *out) { return number(handle, "mig_most", out); }

int nvmlDeviceGetMigDeviceHandleByIndex(device handle, u32 index, device *out)
{
    char key[64];
    *out = (device)((uintptr_t)handle + index + 1);
    key_of(key, *out, "memory");
    return find(key) ? OK : NOT_FOUND;
}
#endif
