# recommender: recommendations computed where the data lives
#
#	src/ROOM/*.c, *.h     the extension in C; src/README explains it
#	doc/*.md              the user's book, which README.md begins
#	sql/install/*.sql     its SQL, concatenated into recommender--VERSION.sql
#	sql/*.sql             what a user sees (pg_regress), answers in expected/
#	test/pgtap/*.sql      what must always be true (pgTAP)
#	test/isolation/       what if two sessions meet
#	test/t/*.pl           what if the server dies, is dumped or replicated
#	test/demo, test/bench something to look at, something to measure
#	test/tools/           the scripts behind the targets below
#	recommender.control   the only place where the version is written
#
# "make help" lists what can be made.

EXTENSION = recommender

# The directory of this file.  "make -f .../recommender/Makefile" in another
# directory builds there, as PGXS does with VPATH.
top := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
ifneq ($(top),.)
VPATH := $(top)
# make would find objects in the source tree and build nothing
ifneq ($(wildcard $(top)/src/*.o $(top)/src/*/*.o),)
$(error there are objects in $(top): run "make clean" there first)
endif
endif

EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" $(top)/recommender.control)

# These goals work on a machine without PostgreSQL; all others need PGXS.
TOOLS = help demo check check-garden check-sanitize bench pgtap indent indent-check check-rooms check-version
.PHONY: $(TOOLS) check-exports remove-directories

ifneq ($(filter-out $(TOOLS),$(or $(MAKECMDGOALS),all)),)

MODULE_big = recommender
OBJS = $(patsubst $(top)/%.c,%.o,$(sort $(wildcard $(top)/src/*.c $(top)/src/*/*.c)))
INSTALL_SQL = recommender--$(EXTVERSION).sql
DATA = $(patsubst $(top)/%,%,$(wildcard $(top)/sql/upgrade/recommender--*.sql))
DATA_built = $(INSTALL_SQL)

REGRESS = $(sort $(patsubst $(top)/sql/%.sql,%,$(wildcard $(top)/sql/*.sql)))
REGRESS_OPTS = --load-extension=recommender
ISOLATION = $(sort $(patsubst $(top)/test/isolation/specs/%.spec,%,$(wildcard $(top)/test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=$(top)/test/isolation --load-extension=recommender

# no bitcode, which wants the clang that PostgreSQL was built with
override with_llvm = no

# C made of the SQL that makes a recommender
TABLES_SQL = $(patsubst %,$(top)/src/definition/recommender_%.sql,tables functions events)
MADE_H = src/definition/recommender_tables.h
MADE = $(MADE_H) $(patsubst %,src/definition/recommender_%.inc,tables functions events)

EXTRA_CLEAN = $(OBJS:.o=.d) $(MADE) output_iso

all: # stays the first target

PG_CONFIG ?= pg_config
# our headers by room; no warnings about those that are not ours
PG_CPPFLAGS = -I$(top)/src $(if $(VPATH),-Isrc) -isystem $(shell $(PG_CONFIG) --includedir-server)
PGXS := $(shell $(PG_CONFIG) --pgxs)
ifeq ($(wildcard $(PGXS)),)
$(error $(PG_CONFIG) finds no PGXS: install postgresql-server-dev, set PG_CONFIG, or try "make help")
endif
include $(PGXS)

# objects know their headers
override CFLAGS += -MMD -MP
# 32-bit x86: SSE2 computes in double precision, the x87 unit does not
ifneq ($(shell $(CC) $(filter -m%,$(CFLAGS)) -dM -E -x c /dev/null | grep -w __i386__),)
override CFLAGS += -msse2 -mfpmath=sse
endif
-include $(OBJS:.o=.d)

# directories of the objects, absent in a build outside the source tree; whole
# paths, as make would find others there by VPATH
OBJ_DIRS = $(sort $(dir $(addprefix $(CURDIR)/,$(OBJS))))
$(OBJS): | $(OBJ_DIRS)
$(OBJ_DIRS):
	mkdir -p $@

SQL_TO_C = awk -f $(top)/src/definition/recommender_sql.awk
$(MADE_H): $(TABLES_SQL) $(top)/src/definition/recommender_sql.awk
	@mkdir -p $(@D)
	$(SQL_TO_C) -v make=header $(TABLES_SQL) > $@.new
	mv $@.new $@
src/definition/%.inc: $(top)/src/definition/%.sql $(top)/src/definition/recommender_sql.awk
	@mkdir -p $(@D)
	$(SQL_TO_C) -v make=statements $< > $@.new
	mv $@.new $@
# later the objects know, by their .d
$(OBJS): | $(MADE)

$(INSTALL_SQL): $(sort $(wildcard $(top)/sql/install/*.sql)) $(top)/recommender.control
	cat $(filter %.sql,$^) > $@

# a build outside the source tree made directories, too
ifdef VPATH
clean: remove-directories
remove-directories: clean-lib
	rm -rf $(OBJS) $(EXTRA_CLEAN)
	[ ! -d src ] || find src -depth -type d -empty -exec rmdir {} \;
endif

check-exports: all
	$(top)/test/tools/check-exports $(MODULE_big)$(DLSUFFIX)

endif

help:
	@$(top)/test/tools/help

demo:
	@$(top)/test/tools/with-server psql -X -q -P pager=off -v ON_ERROR_STOP=1 -f test/demo/demo.sql

# PGXS has a rule for check, too, which says that there is none
ifneq ($(filter check,$(MAKECMDGOALS)),)
check:
	@export ONLY="$(ONLY)" TESTS="$(TESTS)" CALLS="$(CALLS)" GARDEN_SEED="$(GARDEN_SEED)"; \
	exec $(top)/test/tools/with-server --tests --no-build test/tools/check </dev/null
endif

# more calls than make check makes, from another seed: CALLS=50000 GARDEN_SEED=7
check-garden:
	@$(MAKE) -f $(top)/Makefile check ONLY=tap TESTS=016_garden CALLS="$(or $(CALLS),50000)" GARDEN_SEED="$(GARDEN_SEED)"

check-sanitize:
	@$(MAKE) -f $(top)/Makefile check ONLY="sanitize pgtap"
	@$(MAKE) -f $(top)/Makefile check ONLY="sanitize tap" TESTS="016_garden"

bench:
	@[ -x $(top)/test/bench/run ] || { echo "there is no benchmark yet: test/bench/run"; exit; }; \
	exec $(top)/test/tools/with-server test/bench/run

pgtap:
	pg_prove --ext .sql --recurse $(top)/test/pgtap

indent:
	@$(top)/test/tools/indent

indent-check:
	@$(top)/test/tools/indent --check

check-version:
	@$(top)/test/tools/check-version

check-rooms:
	@$(top)/test/tools/check-rooms
