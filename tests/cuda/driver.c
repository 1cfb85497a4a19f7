/* A stand-in for NVIDIA's driver (libcuda.so.1), cuBLAS and cuRAND that computes nothing and counts what it is
 * asked for. Device memory is zeroed memory of the host, copies are copies, and a launch only counts.
 *
 * COUNTS names the file that gets the counts when the program ends: JSON, by kind, name and the stack that asked.
 * COUNTS_DEPTH is how many frames of the stack are told apart; 0, the default, for none. */
#define _GNU_SOURCE
#include <execinfo.h>
#include <link.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, NOT_SUPPORTED = 801, DEEPEST = 96, MOST_PARAMETERS = 64 };
enum { NAME = 128, BUCKETS = 1 << 16, ALLOCATIONS = 1 << 16 };

typedef uint64_t Pointer;

/* What was asked for from one place. */
typedef struct Count {
    const char *kind;
    char name[NAME];
    int frames;
    void *stack[DEEPEST];
    uint64_t times, bytes;
    struct Count *next;
} Count;

typedef struct Allocation {
    Pointer start;
    size_t bytes;
    struct Allocation *next;
} Allocation;

/* Parameters of eight bytes may be pointers; the PTX says which they are. */
typedef struct Function {
    char name[NAME];
    int parameters;
    char wide[MOST_PARAMETERS];
} Function;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Count *counts[BUCKETS];
static Allocation *allocations[ALLOCATIONS];
static int depth;
static uint64_t held;
static __thread void *current;

static void *new_handle(void) { return calloc(1, 64); }

static uint64_t mix(uint64_t hash, uint64_t value) {
    return (hash ^ value) * 0x100000001b3u ^ hash >> 29;
}

static void count(const char *kind, const char *name, uint64_t bytes) {
    void *stack[DEEPEST];
    int frames = depth ? backtrace(stack, depth + 2 < DEEPEST ? depth + 2 : DEEPEST) : 0;
    uint64_t hash = mix(14695981039346656037u, (uintptr_t)kind);
    for (const char *letter = name; *letter; letter++)
        hash = mix(hash, (unsigned char)*letter);
    for (int frame = 0; frame < frames; frame++)
        hash = mix(hash, (uintptr_t)stack[frame]);
    pthread_mutex_lock(&lock);
    Count **place = &counts[(hash ^ hash >> 32) % BUCKETS], *found = *place;
    while (found && (strcmp(found->kind, kind) || strcmp(found->name, name) || found->frames != frames ||
                     memcmp(found->stack, stack, frames * sizeof *stack)))
        found = found->next;
    if (!found) {
        found = calloc(1, sizeof *found);
        found->kind = kind;
        snprintf(found->name, NAME, "%s", name);
        found->frames = frames;
        memcpy(found->stack, stack, frames * sizeof *stack);
        found->next = *place;
        *place = found;
    }
    found->times++;
    found->bytes += bytes;
    pthread_mutex_unlock(&lock);
}

/* What nothing here answers must not pass unseen. */
int unanswered(const char *name) {
    fprintf(stderr, "the driver that counts does not count %s\n", name);
    return NOT_SUPPORTED;
}

__attribute__((constructor)) static void begin(void) {
    const char *asked = getenv("COUNTS_DEPTH");
    depth = asked ? atoi(asked) : 0;
}

/* Where the program lies; it is the first that the loader names. */
static int program(struct dl_phdr_info *info, size_t size, void *found) {
    uintptr_t *range = found;
    (void)size;
    range[0] = info->dlpi_addr;
    for (int number = 0; number < info->dlpi_phnum; number++) {
        uintptr_t end = info->dlpi_addr + info->dlpi_phdr[number].p_vaddr + info->dlpi_phdr[number].p_memsz;
        range[1] = info->dlpi_phdr[number].p_type == PT_LOAD && end > range[1] ? end : range[1];
    }
    return 1;
}

/* Of the frames those in the program, relative to its start, as addr2line wants them. */
static void write_stack(FILE *file, const Count *one, const uintptr_t *range) {
    const char *separator = "";
    for (int frame = 0; frame < one->frames; frame++) {
        uintptr_t address = (uintptr_t)one->stack[frame];
        if (address < range[0] || address >= range[1])
            continue;
        fprintf(file, "%s%lu", separator, address - range[0]);
        separator = ", ";
    }
}

__attribute__((destructor)) static void end(void) {
    const char *path = getenv("COUNTS");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file)
        return;
    uintptr_t range[2] = {0, 0};
    dl_iterate_phdr(program, range);
    fprintf(file, "{\"counts\": [");
    const char *separator = "\n";
    for (int bucket = 0; bucket < BUCKETS; bucket++)
        for (Count *one = counts[bucket]; one; one = one->next) {
            fprintf(file, "%s{\"kind\": \"%s\", \"name\": \"%s\", \"times\": %lu, \"bytes\": %lu, \"stack\": [", separator,
                    one->kind, one->name, one->times, one->bytes);
            write_stack(file, one, range);
            fprintf(file, "]}");
            separator = ",\n";
        }
    fprintf(file, "\n]}\n");
    fclose(file);
}

/* Memory. */

static Allocation **bucket_of(Pointer start) {
    return &allocations[(start >> 6 ^ start >> 22) % ALLOCATIONS];
}

static int allocate(Pointer *pointer, size_t bytes) {
    Allocation *made = malloc(sizeof *made);
    *made = (Allocation){(Pointer)(uintptr_t)calloc(1, bytes ? bytes : 1), bytes, NULL};
    *pointer = made->start;
    count("allocation", "", bytes);
    pthread_mutex_lock(&lock);
    Allocation **bucket = bucket_of(made->start);
    made->next = *bucket;
    *bucket = made;
    held += bytes;
    pthread_mutex_unlock(&lock);
    return SUCCESS;
}

static int release(Pointer pointer) {
    pthread_mutex_lock(&lock);
    for (Allocation **place = bucket_of(pointer); *place; place = &(*place)->next)
        if ((*place)->start == pointer) {
            Allocation *gone = *place;
            *place = gone->next;
            held -= gone->bytes;
            free(gone);
            break;
        }
    pthread_mutex_unlock(&lock);
    free((void *)(uintptr_t)pointer);
    return SUCCESS;
}

/* How large the buffer is that begins here; 0 where none does. */
static size_t buffer(Pointer start) {
    size_t bytes = 0;
    pthread_mutex_lock(&lock);
    for (Allocation *one = *bucket_of(start); one; one = one->next)
        if (one->start == start)
            bytes = one->bytes;
    pthread_mutex_unlock(&lock);
    return bytes;
}

int cuMemAlloc_v2(Pointer *pointer, size_t bytes) { return allocate(pointer, bytes); }
int cuMemAllocAsync(Pointer *pointer, size_t bytes, void *stream) { (void)stream; return allocate(pointer, bytes); }
int cuMemFree_v2(Pointer pointer) { return release(pointer); }
int cuMemFreeAsync(Pointer pointer, void *stream) { (void)stream; return release(pointer); }

int cuMemGetInfo_v2(size_t *free_bytes, size_t *total) {
    *total = (size_t)40 << 30;
    *free_bytes = *total - held;
    return SUCCESS;
}

static int fill(Pointer pointer, unsigned char value, size_t bytes) {
    memset((void *)(uintptr_t)pointer, value, bytes);
    count("memset", "", bytes);
    return SUCCESS;
}

static int copy(const char *kind, void *to, const void *from, size_t bytes) {
    memcpy(to, from, bytes);
    count(kind, "", bytes);
    return SUCCESS;
}

#define DEVICE(pointer) ((void *)(uintptr_t)(pointer))
#define TO_DEVICE copy("host to device", DEVICE(to), from, bytes)
#define TO_HOST copy("device to host", to, DEVICE(from), bytes)
#define ON_DEVICE copy("device to device", DEVICE(to), DEVICE(from), bytes)

int cuMemsetD8_v2(Pointer to, unsigned char value, size_t bytes) { return fill(to, value, bytes); }
int cuMemsetD8Async(Pointer to, unsigned char value, size_t bytes, void *stream) {
    (void)stream;
    return fill(to, value, bytes);
}
int cuMemcpyHtoD_v2(Pointer to, const void *from, size_t bytes) { return TO_DEVICE; }
int cuMemcpyHtoDAsync_v2(Pointer to, const void *from, size_t bytes, void *stream) { (void)stream; return TO_DEVICE; }
int cuMemcpyDtoH_v2(void *to, Pointer from, size_t bytes) { return TO_HOST; }
int cuMemcpyDtoHAsync_v2(void *to, Pointer from, size_t bytes, void *stream) { (void)stream; return TO_HOST; }
int cuMemcpyDtoD_v2(Pointer to, Pointer from, size_t bytes) { return ON_DEVICE; }
int cuMemcpyDtoDAsync_v2(Pointer to, Pointer from, size_t bytes, void *stream) { (void)stream; return ON_DEVICE; }

/* Devices, contexts, streams and events. */

int cuInit(unsigned flags) { (void)flags; return SUCCESS; }
int cuDeviceGet(int *device, int number) { *device = number; return number == 0 ? SUCCESS : 101; }
int cuDeviceGetCount(int *devices) { *devices = 1; return SUCCESS; }
int cuDeviceGetName(char *name, int length, int device) {
    (void)device;
    snprintf(name, length, "nothing that computes");
    return SUCCESS;
}
int cuDeviceTotalMem_v2(size_t *bytes, int device) { (void)device; *bytes = (size_t)40 << 30; return SUCCESS; }

int cuDeviceGetAttribute(int *value, int attribute, int device) {
    (void)device;
    switch (attribute) {
    case 1: *value = 1024; break;   /* threads of a block */
    case 10: *value = 32; break;    /* threads of a warp */
    case 16: *value = 108; break;   /* multiprocessors */
    case 75: *value = 8; break;     /* compute capability 8.0 */
    case 76: *value = 0; break;
    case 115: *value = 1; break;    /* memory pools */
    default: *value = 0;
    }
    return SUCCESS;
}

int cuDevicePrimaryCtxRetain(void **context, int device) {
    static int primary;
    (void)device;
    *context = &primary;
    return SUCCESS;
}
int cuDevicePrimaryCtxRelease_v2(int device) { (void)device; return SUCCESS; }
int cuCtxSetCurrent(void *context) { current = context; return SUCCESS; }
int cuCtxGetCurrent(void **context) { *context = current; return SUCCESS; }
int cuCtxSynchronize(void) { count("synchronisation", "cuCtxSynchronize", 0); return SUCCESS; }

int cuStreamCreate(void **stream, unsigned flags) { (void)flags; *stream = new_handle(); return SUCCESS; }
int cuStreamDestroy_v2(void *stream) { free(stream); return SUCCESS; }
int cuStreamWaitEvent(void *stream, void *event, unsigned flags) {
    (void)stream, (void)event, (void)flags;
    count("event", "cuStreamWaitEvent", 0);
    return SUCCESS;
}
int cuStreamIsCapturing(void *stream, int *capturing) { (void)stream; *capturing = 0; return SUCCESS; }
int cuStreamSynchronize(void *stream) {
    (void)stream;
    count("synchronisation", "cuStreamSynchronize", 0);
    return SUCCESS;
}

int cuEventCreate(void **event, unsigned flags) { (void)flags; *event = new_handle(); return SUCCESS; }
int cuEventDestroy_v2(void *event) { free(event); return SUCCESS; }
int cuEventRecord(void *event, void *stream) {
    (void)event, (void)stream;
    count("event", "cuEventRecord", 0);
    return SUCCESS;
}
int cuEventQuery(void *event) { (void)event; return SUCCESS; }
int cuEventSynchronize(void *event) {
    (void)event;
    count("synchronisation", "cuEventSynchronize", 0);
    return SUCCESS;
}

int cuGetErrorName(int error, const char **name) { (void)error; *name = "AN_ERROR"; return SUCCESS; }
int cuGetErrorString(int error, const char **text) {
    (void)error;
    *text = "the driver that counts does not know this";
    return SUCCESS;
}

/* Kernels. */

int cuModuleLoadData(void **module, const void *image) { *module = strdup(image); return SUCCESS; }
int cuModuleUnload(void *module) { (void)module; return SUCCESS; }

/* Which parameters are eight bytes wide, out of the PTX. */
static void read_parameters(Function *function, const char *image) {
    char entry[NAME + 16];
    snprintf(entry, sizeof entry, ".entry %s(", function->name);
    const char *at = strstr(image, entry);
    const char *close = at ? strchr(at + strlen(entry), ')') : NULL;
    while (close && (at = strstr(at, ".param .")) && at < close && function->parameters < MOST_PARAMETERS) {
        at += strlen(".param .");
        function->wide[function->parameters++] = !strncmp(at, "u64", 3) || !strncmp(at, "b64", 3);
    }
}

int cuModuleGetFunction(void **function, void *module, const char *name) {
    Function *made = calloc(1, sizeof *made);
    snprintf(made->name, NAME, "%s", name);
    read_parameters(made, module);
    *function = made;
    return SUCCESS;
}

int cuFuncGetAttribute(int *value, int attribute, void *function) {
    (void)attribute, (void)function;
    *value = 1024;
    return SUCCESS;
}
int cuFuncSetAttribute(void *function, int attribute, int value) {
    (void)function, (void)attribute, (void)value;
    return SUCCESS;
}

/* The bytes of a launch are those of the buffers that it is given. */
int cuLaunchKernel(Function *function, unsigned x, unsigned y, unsigned z, unsigned block_x, unsigned block_y,
                   unsigned block_z, unsigned shared, void *stream, void **parameters, void **extra) {
    (void)x, (void)y, (void)z, (void)block_x, (void)block_y, (void)block_z, (void)shared, (void)stream, (void)extra;
    uint64_t bytes = 0;
    for (int number = 0; parameters && number < function->parameters; number++)
        if (function->wide[number])
            bytes += buffer(*(Pointer *)parameters[number]);
    count("kernel", function->name, bytes);
    return SUCCESS;
}

/* cuBLAS and cuRAND. */

int cublasCreate_v2(void **handle) { *handle = new_handle(); return SUCCESS; }
int cublasDestroy_v2(void *handle) { free(handle); return SUCCESS; }
int cublasSetStream_v2(void *handle, void *stream) { (void)handle, (void)stream; return SUCCESS; }

/* The numbers that three matrices have, of four bytes each. */
static uint64_t product_bytes(int m, int n, int k, int batch) {
    return 4 * (uint64_t)batch * ((uint64_t)m * k + (uint64_t)k * n + (uint64_t)m * n);
}

int cublasGemmStridedBatchedEx(void *handle, int a, int b, int m, int n, int k, const void *alpha, const void *left,
                               int left_kind, int left_row, int64_t left_stride, const void *right, int right_kind,
                               int right_row, int64_t right_stride, const void *beta, void *out, int out_kind,
                               int out_row, int64_t out_stride, int batch, int computes, int algorithm) {
    (void)handle, (void)a, (void)b, (void)alpha, (void)left, (void)left_kind, (void)left_row, (void)left_stride;
    (void)right, (void)right_kind, (void)right_row, (void)right_stride, (void)beta, (void)out, (void)out_kind;
    (void)out_row, (void)out_stride, (void)computes, (void)algorithm;
    count("gemm", "cublasGemmStridedBatchedEx", product_bytes(m, n, k, batch));
    return SUCCESS;
}

int curandCreateGenerator(void **generator, int kind) { (void)kind; *generator = new_handle(); return SUCCESS; }
int curandDestroyGenerator(void *generator) { free(generator); return SUCCESS; }
int curandSetStream(void *generator, void *stream) { (void)generator, (void)stream; return SUCCESS; }
int curandSetPseudoRandomGeneratorSeed(void *generator, uint64_t seed) { (void)generator, (void)seed; return SUCCESS; }
int curandGenerateUniform(void *generator, float *to, size_t numbers) {
    (void)generator, (void)to;
    count("random", "curandGenerateUniform", numbers * sizeof *to);
    return SUCCESS;
}
int curandGenerateNormal(void *generator, float *to, size_t numbers, float mean, float deviation) {
    (void)generator, (void)to, (void)mean, (void)deviation;
    count("random", "curandGenerateNormal", numbers * sizeof *to);
    return SUCCESS;
}
