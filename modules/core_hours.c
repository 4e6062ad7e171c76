/* Staging module: how many core hours may this job cost at most? Refuses one above a limit.
 *
 * usage: core_hours LIMIT    the user input comes on standard input and goes out unchanged; what it found is
 * said on standard error. tasks x processes x threads x hours, each 1 where the job file does not say. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_all(FILE *stream)
{
    size_t size = 0, room = 65536;
    char *text = malloc(room);
    while (text && (size += fread(text + size, 1, room - size - 1, stream)) == room - 1)
        text = realloc(text, room *= 2);
    if (text)
        text[size] = '\0';
    return text;
}

/* Text of the value behind "key": in flat JSON, or NULL. */
static const char *value_of(const char *json, const char *key)
{
    char quoted[80];
    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    const char *found = strstr(json, quoted);
    if (!found)
        return NULL;
    found += strlen(quoted);
    while (*found == ' ' || *found == '"')
        found++;
    return found;
}

static double number(const char *json, const char *key)
{
    const char *text = value_of(json, key);
    return text && isdigit((unsigned char)*text) ? atof(text) : 1.0;
}

/* Numbers in a list of array tasks, "1-5,9,20-30:5%2". */
static double listed(const char *text)
{
    double total = 0.0;
    while (isdigit((unsigned char)*text)) {
        char *end;
        long first = strtol(text, &end, 10), last = first, step = 1;
        if (*end == '-')
            last = strtol(end + 1, &end, 10);
        if (*end == ':')
            step = strtol(end + 1, &end, 10);
        total += step > 0 && last >= first ? (last - first) / step + 1 : 0;
        if (*end != ',')
            break;
        text = end + 1 + strspn(end + 1, " ");
    }
    return total;
}

/* Array tasks of 15, "15", "1-5,9", {"count": 15} or {"ids": "1-5,9"}; 1 where nothing is said. */
static double tasks(const char *json)
{
    const char *text = value_of(json, "nbr_jobs_in_array");
    if (text && *text == '{') {
        const char *count = value_of(text, "count");
        if (count && count < strchr(text, '}'))
            return atof(count);
        text = value_of(text, "ids");
        return text ? listed(text) : 1.0;
    }
    if (!text || !isdigit((unsigned char)*text))
        return 1.0;
    int is_list = text[-1] == '"' && text[strspn(text, "0123456789")] != '"';
    return is_list ? listed(text) : atof(text);
}

/* Hours in "1d 2h30m10s", "1-02:30:00" or "26:30:00"; 1 where nothing is said. */
static double hours(const char *text)
{
    double total = 0.0;
    while (text && isdigit((unsigned char)*text)) {
        char *unit;
        double amount = strtod(text, &unit);
        if (*unit == ':') {
            total += amount + strtod(unit + 1, &unit) / 60;
            return *unit == ':' ? total + strtod(unit + 1, &unit) / 3600 : total;
        }
        int name = tolower((unsigned char)*unit);
        total += amount * (name == 'd' || name == '-' ? 24.0 : name == 'h' ? 1.0 : name == 'm' ? 1.0 / 60 : 1.0 / 3600);
        for (text = unit + 1; *unit && *text == ' '; text++)
            ;
    }
    return total > 0.0 ? total : 1.0;
}

int main(int argc, char **argv)
{
    char *json = read_all(stdin);
    if (!json) {
        fprintf(stderr, "out of memory\n");
        return 1;
    }
    double limit = argc > 1 ? atof(argv[1]) : 1000.0;
    double cores = tasks(json) * number(json, "nbr_processes") * number(json, "nbr_threads_per_process");
    double cost = cores * hours(value_of(json, "duration"));
    fprintf(stderr, "at most %.0f core hours (%.0f cores)\n", cost, cores);
    if (cost > limit) {
        fprintf(stderr, "that is more than %.0f; lower resources.duration or ask for fewer cores\n", limit);
        return 1;
    }
    fputs(json, stdout);
    free(json);
    return 0;
}
