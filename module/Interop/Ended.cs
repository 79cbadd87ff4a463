using System.Collections.Generic;
using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Interop
{
    /// <summary>How an operation ended: with a result, or with a failure.</summary>
    internal sealed class Ended
    {
        private readonly object tree;

        internal Ended(string kind, object tree)
        {
            Kind = kind;
            this.tree = tree;
        }

        internal Ended(PChatException failure)
        {
            Failure = failure;
        }

        /// <summary>The kind of the result: `run`, `plan`, `log_chain` or `count`.</summary>
        internal string Kind { get; private set; }

        /// <summary>Why there is no result; null where there is one.</summary>
        internal PChatException Failure { get; private set; }

        /// <summary>The result as a plan.</summary>
        internal Plan AsPlan()
        {
            return PChatException.Guarded(() => Plan.Read(tree));
        }

        /// <summary>The result as its type.</summary>
        internal T As<T>() where T : new()
        {
            return PChatException.Guarded(() => Document.Read<T>(tree));
        }
    }

    /// <summary>What a command knows about an operation that it starts.</summary>
    internal sealed class Work
    {
        internal Work(string export, Dictionary<string, object> request)
        {
            Export = export;
            Request = request;
        }

        internal string Export { get; private set; }

        internal Dictionary<string, object> Request { get; private set; }

        /// <summary>False for reading and for planning: then only native commands that read are carried out.</summary>
        internal bool Changes { get; set; }

        /// <summary>What Ctrl+C leaves behind, in one sentence; null where a stop needs no word.</summary>
        internal string AfterStop { get; set; }

        /// <summary>Called for each item; what it returns true for is not written to the pipeline.</summary>
        internal System.Func<object, bool> Item { get; set; }
    }
}
